# Completion of onset and systemctl for bash: source it, or put it into
# /usr/share/bash-completion/completions/onset. The words are the program's own.

_onset_names() { # units|unit-files|targets|jobs
  case $1 in
    units) "$program" list-units --all --no-legend --plain --full ;;
    unit-files) "$program" list-unit-files --no-legend ;;
    targets) "$program" list-unit-files --no-legend --type=target ;;
    jobs) "$program" list-jobs --no-legend ;;
  esac 2>/dev/null | while read -r name _; do printf '%s\n' "$name"; done
}

_onset() {
  local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} word name kind verb='' wanted=''
  local -A kinds=()
  COMPREPLY=()
  while read -r name kind; do kinds[$name]=$kind; done < <("$program" complete verbs 2>/dev/null)
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ ! ${kinds[$word]:-} ]] || { verb=$word; break; }
  done
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$("$program" complete options 2>/dev/null)" -- "$current")
    [[ ${COMPREPLY[0]:-} != *= ]] || compopt -o nospace
    return
  fi
  if [[ ! $verb ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${!kinds[*]}" -- "$current")
    return
  fi
  wanted=${kinds[$verb]}
  case $wanted in
    nothing) ;;
    files) compopt -o default ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$(_onset_names "$wanted")" -- "$current") ;;
  esac
}

complete -F _onset onset systemctl
