# bash completion of hunch, as `hunch completion bash` prints it.

_hunch() {
  local IFS=$'\n' words=() n=-1 i line
  for ((i = 1; i <= COMP_CWORD; i++)); do
    # bash ends words at = and :, hunch does not
    if [[ $n -ge 0 && (${COMP_WORDS[i]} == [=:] || ${COMP_WORDS[i - 1]} == [=:]) ]]; then
      words[n]+=${COMP_WORDS[i]}
    else
      words[++n]=${COMP_WORDS[i]}
    fi
  done
  local whole=${words[n]} last=${COMP_WORDS[COMP_CWORD]}
  [[ $last == [=:] ]] && last=
  local before=${whole%"$last"} # which stays as it is
  COMPREPLY=()
  while read -r line; do
    case $line in
    :folder)
      compopt -o filenames
      COMPREPLY+=($(compgen -d -- "$last"))
      ;;
    ':file '*)
      compopt -o filenames
      COMPREPLY+=($(compgen -d -- "$last") $(compgen -f -X "!*.${line#:file }" -- "$last"))
      ;;
    :file)
      compopt -o filenames
      COMPREPLY+=($(compgen -f -- "$last"))
      ;;
    *)
      line=${line%%$'\t'*}
      COMPREPLY+=("${line#"$before"}")
      ;;
    esac
  done < <("$1" complete "${words[@]}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
  return 0
}

complete -F _hunch hunch
