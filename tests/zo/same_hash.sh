#!/bin/sh
# Runs programs that print a hash and fails if two differ: same_hash.sh PROGRAM… One that exits with 77 is passed over. Each runs
# again with a libm that is told to have no hardware fma (glibc), since std::fma may be a call.
first=
for program in "$@"; do
  for tunables in "" "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2"; do
    hash=$(GLIBC_TUNABLES=$tunables "$program")
    code=$?
    [ $code -eq 77 ] && { echo "$program: not on this processor"; continue; }
    [ $code -eq 0 ] || { echo "$program: exit code $code"; exit 1; }
    echo "$hash $program $tunables"
    first=${first:-$hash}
    [ "$hash" = "$first" ] || { echo "differs from $first"; exit 1; }
  done
done
