# Completion of heapscan for bash. The words come from the program's own tables of options.
_heapscan()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev= command= words
	COMPREPLY=()
	# bash splits --format=json at the =: put it together again
	if [[ $cur == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 1]} cur=
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if ((COMP_CWORD > 1)); then
		command=${COMP_WORDS[1]}
		[[ $command == -* ]] && command=
	fi
	words=$(heapscan --complete ${command:+"$command"} 2>/dev/null) || return
	if [[ $prev == --* ]]; then
		words=$(sed -n "s/^$prev=//p" <<<"$words")
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
		[[ $words ]] || COMPREPLY=($(compgen -f -- "$cur"))
	elif [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
	else
		((COMP_CWORD == 1)) && COMPREPLY=($(compgen -W "$(sed '/^-/d' <<<"$words")" -- "$cur"))
		COMPREPLY+=($(compgen -f -- "$cur"))
		compopt -o filenames
	fi
}
complete -F _heapscan heapscan
