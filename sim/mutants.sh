#!/bin/sh
# The oracle must catch what it is there for: each lie of the simulated agents, in a few seeds.
for lie in early start-only; do
	if out=$("$1" --seeds 1..4 --nodes 7..8 --mutant $lie); then
		echo "mutant $lie was not caught"
		exit 1
	fi
	case $out in
	*"no handshake"*|*"trusts nothing"*) echo "mutant $lie is caught: $(echo "$out" | grep -c '^VIOLATION') seeds" ;;
	*) echo "$out"; echo "mutant $lie: something else went wrong"; exit 1 ;;
	esac
done
