# fish completion of hunch, as `hunch completion fish` prints it.

function __hunch_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l head (string match -r -- '^-[^=]*=|^[^/=]*\.[^/=]*=' $last)
    set -l rest (string replace -- "$head" '' $last)
    for line in ($words[1] complete $words[2..-1] "$last" 2>/dev/null)
        switch $line
            case ':folder'
                printf '%s\n' "$head"(__fish_complete_directories "$rest" '')
            case ':file'
                printf '%s\n' "$head"(__fish_complete_path "$rest" '')
            case ':file *'
                set -l ending (string replace ':file ' '' -- $line)
                printf '%s\n' "$head"(__fish_complete_directories "$rest" '')
                printf '%s\n' "$head"(__fish_complete_path "$rest" '' | string match -- "*.$ending"\t)
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c hunch -f -k -a '(__hunch_complete)'
