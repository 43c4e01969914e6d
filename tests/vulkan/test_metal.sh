#!/bin/sh
# Goal: every shader that MoltenVK would be given is valid SPIR-V and can be
# translated to Metal's language. Method: spirv-val and spirv-cross, on the
# modules that the build left. The integer dot product is left out: the backend
# never takes it on a device that is only a part of Vulkan (devices.c).
. "$(dirname "$0")/../tap.sh"
: "${SPIRV_FOLDER:?where the built shaders are}"
for tool in spirv-cross spirv-val; do
    if ! command -v "$tool" >/dev/null; then
        skip "shaders for Metal" "no $tool here"
        finish
        exit
    fi
done
check "there are shaders" test -f "$SPIRV_FOLDER/sample.spv"
for module in "$SPIRV_FOLDER"/*.spv; do
    name=$(basename "$module" .spv)
    check "$name is valid" spirv-val --target-env vulkan1.1 "$module"
    case $name in
    *_dot) continue ;;
    esac
    check "$name in Metal's language" spirv-cross --msl --msl-version 20200 \
        "$module"
    # What MoltenVK lacks, or what would need an extension (docs/GPU.md).
    spirv-cross --reflect "$module" >reflection 2>/dev/null
    spirv-dis "$module" >text 2>/dev/null || skip "$name" "no spirv-dis"
    check "$name asks for no more than is allowed" \
        sh -c '! grep OpCapability text | grep -vE "Shader$|GroupNonUniform$|GroupNonUniformArithmetic$"'
done
finish
