#!/bin/sh
# Seeds that went wrong once must not go wrong again:  seeds.sh SIM
sim=$(realpath "$1") && cd "$(dirname "$0")/seeds" || exit 1
for seed in *.seed; do
	[ -e "$seed" ] || continue
	"$sim" --replay "$seed" --quiet || exit 1
done
