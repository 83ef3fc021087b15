#compdef qftool
# Completion of qftool for zsh. Load it with: source <(qftool completion zsh)
# or write it to a file _qftool in a directory of $fpath.
_qftool() {
    local line word
    local -a values open shown
    for line in "${(@f)$(${(Q)words[1]} __complete zsh -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}"; do
        word="${line%%$'\t'*}"
        if [[ -z $word ]]; then
            continue
        elif [[ $word == *[/=] ]]; then
            open+=("$word")
        elif [[ $line == *$'\t'* ]]; then
            values+=("$word")
            shown+=("$word  -- ${line#*$'\t'}")
        else
            values+=("$word")
            shown+=("$word")
        fi
    done
    (( ${#values} )) && compadd -l -d shown -a values
    (( ${#open} )) && compadd -S '' -a open
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _qftool "$@"
else
    compdef _qftool qftool
fi
