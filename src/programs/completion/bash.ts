/** `completion bash`. Works in bash 3.2 and later, with the package bash-completion or without. */
import { printed, type Script } from "./script.ts"

const script: Script = (tool, request) =>
  `# bash completion for ${tool}

_${tool}_complete() {
  local IFS=$'\\n' rest=\${COMP_LINE:0:COMP_POINT} breaks=\${COMP_WORDBREAKS-} words=() part at last=-1

  # Bash splits words at colons and equals signs too; what no blank parts is one word of the tool.
  for ((at = 0; at <= COMP_CWORD; at++)); do
    part=\${COMP_WORDS[at]-}
    if ((at == 0)) || [[ $rest == [[:blank:]]* ]]; then
      last=$((last + 1))
      words[last]=
    fi
    rest=\${rest#"\${rest%%[![:blank:]]*}"}
    ((at == COMP_CWORD)) && part=$rest
    words[last]+=$part
    rest=\${rest#"$part"}
  done

  local program=\${words[0]}
  type -P "$program" >/dev/null || program=${tool}
  # Quotes are the shell's, not part of the words.
  for ((at = 1; at <= last; at++)); do words[at]=\${words[at]//[\\"\\'\\\\]/}; done

  local answer
  answer=$("$program" ${request} "\${words[@]:1}" 2>/dev/null) || return
  local directive=\${answer##*:} typed=\${words[last]}
  answer=\${answer%:*}

  # The flag before its value; where bash splits there, it is no part of what gets replaced.
  local flag=
  if [[ $typed == -*=* ]]; then
    [[ $breaks == *=* ]] || flag=\${typed%%=*}=
    typed=\${typed#*=}
  fi

  if ((directive == 0)); then
    compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$typed"))
    return
  fi
  (((directive & 2) != 0)) && compopt -o nospace 2>/dev/null

  # Up to its last colon the word stands already.
  local stands=
  [[ $breaks == *:* && $typed == *:* ]] && stands=\${typed%"\${typed##*:}"}

  local line value found=() about=()
  while read -r line; do
    value=\${line%%$'\\t'*}
    [[ -n $value && $value == "$typed"* ]] || continue
    found+=("$flag\${value#"$stands"}")
    about+=("\${line:\${#value}}")
  done <<<"$answer"

  COMPREPLY=(\${found[@]+"\${found[@]}"})
  # Descriptions are shown with a list only; when bash inserts each candidate in turn, they would be inserted too.
  if ((\${#found[@]} > 1)) && [[ \${COMP_TYPE-9} != 37 && \${COMP_TYPE-9} != 42 ]]; then
    local width=0
    for value in "\${found[@]}"; do ((\${#value} > width)) && width=\${#value}; done
    for at in "\${!found[@]}"; do
      [[ -n \${about[at]} ]] || continue
      printf -v line '%-*s  (%s)' "$width" "\${found[at]}" "\${about[at]#$'\\t'}"
      COMPREPLY[at]=$line
    done
  fi
}

complete -F _${tool}_complete ${tool}
`

export const run = printed(script)
