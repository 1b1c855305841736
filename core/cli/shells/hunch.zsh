#compdef hunch
# zsh completion of hunch, as `hunch completion zsh` prints it.

_hunch() {
  local -a lines whole open
  local line word doc
  lines=(${(f)"$(${(Q)words[1]} complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)"})
  for line in $lines; do
    word=${line%%$'\t'*} doc=${line#$word} doc=${doc#$'\t'}
    case $line in
    :*) ;;
    *[=.]$'\t'*|*[=.]) open+=("${word//:/\\:}:$doc") ;;
    *) whole+=("${word//:/\\:}:$doc") ;;
    esac
  done
  (( $#whole )) && _describe -V -t words word whole
  (( $#open )) && _describe -V -t words word open -S ''
  for line in ${(M)lines:#:*}; do
    [[ $PREFIX == -*=* || $PREFIX == *.*=* ]] && compset -P 1 '*='
    case $line in
    :folder) _files -/ ;;
    ':file '*) _files -g "*.${line#:file }" ;;
    :file) _files ;;
    esac
  done
}

if [[ $funcstack[1] == _hunch ]]; then
  _hunch "$@"
else
  compdef _hunch hunch
fi
