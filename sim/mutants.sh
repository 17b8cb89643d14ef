#!/bin/sh
# The checks must catch what they are there for: each lie of the simulated world, in a few seeds.
catch() { # MUTANT WORDS
	if out=$("$sim" --seeds 1..4 --nodes 7..8 --no-shrink --mutant "$1"); then
		echo "mutant $1 was not caught"
		exit 1
	fi
	if ! echo "$out" | grep '^VIOLATION' | grep -Eq "$2"; then
		echo "$out"
		echo "mutant $1: something else went wrong"
		exit 1
	fi
	echo "mutant $1 is caught: $(echo "$out" | grep -c '^VIOLATION') seeds"
}
sim=$1
catch early "no handshake|trusts nothing|no cover"
catch start-only "no handshake|trusts nothing|no cover"
catch leak "a secret stands in"
