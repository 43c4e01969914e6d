#!/bin/sh
# Goal: the compiler of a real GPU's driver takes every shader and keeps what it
# works with in registers: none is spilled to memory, and no product needs more
# than 128, with which eight groups of threads are at work where one waits.
# Method: Mesa's driver for AMD can be started without a GPU and then says of
# each shader what it made of it.
. "$(dirname "$0")/../tap.sh"
: "${COMPILE_ALL:?the program that gives each shader to the driver}"
driver=$(ls /usr/share/vulkan/icd.d/radeon_icd*.json 2>/dev/null | head -n 1)
if [ -z "$driver" ]; then
    skip "shaders for AMD" "Mesa's driver for it is not here"
    finish
    exit
fi
unset MOSHI_VULKAN_LIBRARY MOSHI_VULKAN_LACKS MOSHI_VULKAN_VALIDATE
MOSHI_CACHE=$work/cache MESA_SHADER_CACHE_DISABLE=true RADV_FORCE_FAMILY=navi21 \
    RADV_DEBUG=shaderstats VK_ICD_FILENAMES=$driver "$COMPILE_ALL" >name 2>log
status=$?
if [ $status -eq 77 ] || ! grep -q "^Null hardware" name; then
    skip "shaders for AMD" "Mesa's driver for it does not start without one"
    finish
    exit
fi
check "every shader compiles" test $status -eq 0
check "and nothing fails" sh -c '! grep FAILED log'
# shader NAME SHAPE, then VGPRs: N, Spilled VGPRs: N ... of it
awk '/^shader / { name = $2 " " $3 }
     /^VGPRs:/ { print name, $2 }
     /^Spilled [SV]GPRs:/ && $3 > 0 { print name >"spilled" }' log >registers
check "the driver says what it made of each" \
    test "$(grep -c '^shader ' log)" -eq "$(wc -l <registers)"
check "nothing is spilled" test ! -s spilled
check "no product needs more than 128 registers" \
    sh -c "! awk '/^linear_/ && \$3 > 128' registers | grep ."
sed 's/^/# /' registers
finish
