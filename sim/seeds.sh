#!/bin/sh
# Seeds that went wrong once must not go wrong again:  seeds.sh SIM
cd "$(dirname "$0")/seeds" || exit 1
for seed in *.seed; do
	[ -e "$seed" ] || continue
	"$1" --replay "$seed" --quiet || exit 1
done
