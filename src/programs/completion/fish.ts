/** `completion fish`: to be read by `source`, or kept as `regctl.fish` in fish's directory of completions. */
import { printed, type Script } from "./script.ts"

const script: Script = (tool, request) =>
  `# fish completion for ${tool}

function __${tool}_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l program ${tool}
    type -q "$words[1]"; and set program $words[1]
    set -l answer ($program ${request} $words[2..-1] "$typed" 2>/dev/null)
    or return
    # A flag stays in front of its value.
    set -l flag (string match -r -- '^-[^=]*=' "$typed")
    if test "$answer[-1]" = ":0"
        set -l value (string replace -r -- '^-[^=]*=' '' "$typed")
        for path in (__fish_complete_path "$value")
            echo -- "$flag$path"
        end
        return
    end
    for candidate in $answer[1..-2]
        echo -- "$flag$candidate"
    end
end

complete -c ${tool} -e
complete -c ${tool} -f -a '(__${tool}_complete)'
`

export const run = printed(script)
