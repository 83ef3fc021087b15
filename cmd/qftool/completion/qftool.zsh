#compdef qftool
# Completion of qftool for zsh. Load it with: source <(qftool completion zsh)
# or write it to a file _qftool in a directory of $fpath.
_qftool() {
    local line word
    local -a values directories shown shown_directories
    for line in "${(@f)$(${(Q)words[1]} __complete zsh -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}"; do
        word="${line%%$'\t'*}"
        if [[ -z $word ]]; then
            continue
        elif [[ $word == */ ]]; then
            directories+=("$word")
        elif [[ $line == *$'\t'* ]]; then
            values+=("$word")
            shown+=("$word  -- ${line#*$'\t'}")
        else
            values+=("$word")
            shown+=("$word")
        fi
    done
    (( ${#values} )) && compadd -l -d shown -a values
    (( ${#directories} )) && compadd -S '' -a directories
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _qftool "$@"
else
    compdef _qftool qftool
fi
