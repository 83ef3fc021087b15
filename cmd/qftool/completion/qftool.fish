# Completion of qftool for fish. Load it with: qftool completion fish | source
function __qftool_complete
    set -l words (commandline -opc)
    set -a words (commandline -ct)
    $words[1] __complete fish -- $words 2>/dev/null
end
complete -c qftool -f -a '(__qftool_complete)'
