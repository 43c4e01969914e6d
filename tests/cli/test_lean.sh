#!/bin/sh
# Goal: a program that was built without some of the libraries it can do without,
# or without a CPU level that its compiler did not know, still speaks from file to
# file, and a command that needs one of them says which, and what to install.
# Method: MOSHI_LACKS names what this build lacks; each is asked for. Without any
# there is nothing to see.
. "$(dirname "$0")/../tap.sh"
if [ -z "$MOSHI_LACKS" ]; then
    skip "a lean build" "nothing is lacking here: see 'make check-lean'"
    finish
    exit 0
fi
hello=$MOSHI_EXAMPLES/hello.wav
questions=$MOSHI_EXAMPLES/questions.flac
missing() { case " $MOSHI_LACKS " in *" $1 "*) true ;; *) false ;; esac }
says() { # says LIBRARY PACKAGE
    has err "built without $1"
    has err "$2"
}

echo "# this build lacks $MOSHI_LACKS"
run 0 gen "$hello" out.wav --greedy --quiet
check "and speaks" test -s out.wav
run 0 chat --in "$questions" --out out.wav --speed 50
has out "Tokyo"

if missing avxvnni; then
    run 0 gen "$hello" best.wav --greedy --quiet
    MOSHI_CPU=avx2vnni run 0 gen "$hello" vnni.wav --greedy --quiet
    check "a level that was left out is none" cmp best.wav vnni.wav
    run 4 compare "$hello" --a isa=avx2vnni --b ""
    has err "this build has no avx2vnni"
fi
if missing opus; then # it is looked for before libwebsockets is
    run 4 serve --port 0
    says libogg libopus-dev
    run 4 client localhost --in "$hello" --out other.wav
    says libogg libopus-dev
elif missing libwebsockets; then
    run 4 serve --port 0
    says libwebsockets libwebsockets-dev
    run 4 client localhost --in "$hello" --out other.wav
    says libwebsockets libwebsockets-dev
fi
check "a failed call leaves no file" test ! -e other.wav
if missing libcrypto; then
    XDG_DATA_HOME=$work run 4 serve --port 0 --tls
    says libcrypto --certificate
fi
if missing portaudio; then
    run 4 chat
    says PortAudio portaudio19-dev
    has err "--in FILE"
    run 4 chat --list
    says PortAudio portaudio19-dev
    run 4 chat --in "$hello"
    says PortAudio portaudio19-dev
fi
if missing tomlplusplus; then
    echo 'x = 1' >model.toml
    run 4 gen "$hello" other.wav --config model.toml
    says toml++ libtomlplusplus-dev
fi
if missing vulkan; then
    for device in vulkan vulkan:0; do
        run 4 gen "$hello" other.wav --quiet --device $device
        has err "this build has no Vulkan"
        has err "libvulkan-dev"
        lines err 2
    done
    run 4 bench --preset tiny --quiet --device vulkan
    has err "this build has no Vulkan"
    # A machine where it would be worth looking for a GPU.
    MOSHI_VULKAN_LIBRARY=any.so run 0 gen "$hello" auto.wav --greedy \
        --device auto
    has err "computing on the CPU: this build has no Vulkan"
    run 0 gen "$hello" cpu.wav --greedy --quiet --device cpu
    check "auto speaks as the CPU does" cmp auto.wav cpu.wav
    run 0 devices
    has out "cpu"
    has err "no GPU: this build has no Vulkan"
    check "a failed call leaves no file" test ! -e other.wav
fi
finish
