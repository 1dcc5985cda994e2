# Completion of virsh for bash: virsh itself names the candidates, from its table of commands and from the daemon.
_virsh()
{
    local word=${COMP_WORDS[COMP_CWORD]} options=() words=() index=1 candidate
    # The program's own options stand before the command; those that say which daemon is asked are passed on.
    while [ "$index" -lt "$COMP_CWORD" ]; do
        case ${COMP_WORDS[index]} in
            -c|--connect) options+=(-c "${COMP_WORDS[index + 1]}"); index=$((index + 2));;
            --connect=*) options+=("${COMP_WORDS[index]}"); index=$((index + 1));;
            -r|--readonly) options+=(-r); index=$((index + 1));;
            -d|-e|-k|-K|-l|-o|--debug|--escape|--keepalive-interval|--keepalive-count|--log|--output) index=$((index + 2));;
            -*) index=$((index + 1));;
            *) break;;
        esac
    done
    if [ "$index" -ge "$COMP_CWORD" ] && [ "${word#-}" != "$word" ]; then
        mapfile -t COMPREPLY < <(compgen -W '--connect --debug --escape --help --keepalive-interval --keepalive-count
            --log --output --quiet --readonly --timing --version' -- "$word")
        return
    fi
    while [ "$index" -le "$COMP_CWORD" ]; do
        words+=("${COMP_WORDS[index]}")
        index=$((index + 1))
    done
    COMPREPLY=()
    while IFS= read -r candidate; do
        [ -z "$candidate" ] || COMPREPLY+=("$(printf '%q' "$candidate")")
    done < <(LIBVIRT_AUTOSTART=0 "${COMP_WORDS[0]}" -q "${options[@]}" complete -- "${words[@]}" 2>/dev/null)
    # Where there is nothing of ours to offer, the name of a file may be meant.
    if [ "${#COMPREPLY[@]}" -eq 0 ] && [ "${word#-}" = "$word" ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _virsh virsh
