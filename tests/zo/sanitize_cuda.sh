#!/bin/sh
# sanitize_cuda.sh COMPUTE-SANITIZER TEST_CUDA: memory errors and races in shared memory, over small tensors.
# Exits with 77 where there is no GPU or no sanitizer.
set -eu
case "$1" in
*NOTFOUND | "") echo "skipped: no compute-sanitizer"; exit 77 ;;
esac
if "$2" -tc='a row that is not there*' | grep -q 'MESSAGE: skipped'; then echo "skipped: no GPU"; exit 77; fi
for tool in memcheck racecheck; do
  MEZO_CUDA_ELEMENTS=18 "$1" --tool $tool --error-exitcode 9 "$2"
done
