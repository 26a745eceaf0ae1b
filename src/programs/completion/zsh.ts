/** `completion zsh`: to be read by `source`, or kept as `_regctl` in a directory of `fpath`. */
import { printed, type Script } from "./script.ts"

const script: Script = (tool, request) =>
  `#compdef ${tool}
# zsh completion for ${tool}

_${tool}() {
  local answer line value about directive
  local -a candidates space
  local program=\${(Q)words[1]}
  (($+commands[$program])) || [[ -x $program ]] || program=${tool}
  answer=$($program ${request} "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null) || return 1
  directive=\${answer##*:}
  # The flag before its value stays as it is.
  [[ $PREFIX == -*=* ]] && compset -P '*='
  if ((directive == 0)); then
    _files
    return
  fi
  for line in \${(f)answer%:*}; do
    value=\${line%%$'\\t'*}
    about=\${line#"$value"}
    # A colon ends the value in what _describe reads.
    candidates+=("\${value//:/\\\\:}\${about:+:\${about#$'\\t'}}")
  done
  (((directive & 2) != 0)) && space=(-S '')
  _describe -V '${tool}' candidates "\${space[@]}"
}

if [[ $funcstack[1] == _${tool} ]]; then
  _${tool} "$@"
else
  compdef _${tool} ${tool}
fi
`

export const run = printed(script)
