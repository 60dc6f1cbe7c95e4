#!/bin/sh
# sanitize_cuda.sh COMPUTE-SANITIZER TEST_CUDA: memory errors of all kernels, races in shared memory of this project's (LibTorch's
# own attention kernels are reported to race), over small tensors. Exits with 77 where there is no GPU or no sanitizer.
set -eu
case "$1" in
*NOTFOUND | "") echo "skipped: no compute-sanitizer"; exit 77 ;;
esac
if "$2" -tc='a row that is not there*' | grep -q 'MESSAGE: skipped'; then echo "skipped: no GPU"; exit 77; fi
export MEZO_CUDA_ELEMENTS=18
"$1" --tool memcheck --error-exitcode 9 "$2"
"$1" --tool racecheck --kernel-name kns=mezo --error-exitcode 9 "$2"
