# Shortcuts; the build itself is described in meson.build. `make` lists them.
BUILD = build
# What `meson setup` is given besides: make MESON_FLAGS=--werror test
MESON_FLAGS =
# Seconds for each fuzz target, and its name for one alone: make fuzz FUZZ=toml
FUZZ_SECONDS = 60
FUZZ =
# How long `make serve-load` takes, and each half of `make serve-realtime`.
MINUTES = 10

# What `make check-lean` builds without, libraries and the CPU level that old
# compilers do not know, and what it wants.
WITHOUT = avxvnni libcrypto libwebsockets opus portaudio speexdsp \
	tomlplusplus kissfft vulkan
WITH =

# ALSA's plugins leak, and are gone before the leak sanitizer could name them.
SANITIZED = ALSA_PLUGIN_DIR=/nonexistent \
	ASAN_OPTIONS=detect_stack_use_after_return=1 \
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/tools/leaks.supp:print_suppressions=0

# Mesa's driver leaks too, and is gone as early: the tests of the GPU do without
# the leak sanitizer, all others without a GPU.
NO_GPU = VK_DRIVER_FILES=/nonexistent VK_ICD_FILENAMES=/nonexistent

# The thread sanitizer's map of memory does not suit every kernel's way of
# placing programs at random.
FIXED = $(shell setarch `uname -m` -R true 2>/dev/null && \
	echo setarch `uname -m` -R)

help:
	@echo 'make demo        build, then ask nano three questions'
	@echo 'make test        build, then run every test'
	@echo 'make build       build only (into $(BUILD)/)'
	@echo 'make check-gpu   the long tests of the GPU backend (lavapipe will do)'
	@echo 'make check-asan  every test with the address and undefined-behaviour'
	@echo '                 sanitizers'
	@echo 'make check-tsan  the threaded tests with the thread sanitizer'
	@echo 'make check-lean  what the program says without its optional libraries'
	@echo 'make fuzz        fuzz each reader of files for $(FUZZ_SECONDS) seconds'
	@echo 'make eval-nano   hold nano to its promises: 240 questions and more'
	@echo 'make fault-matrix  put in each historic defect; who finds it?'
	@echo 'make serve-load  a server under load, for $(MINUTES) minutes in real time'
	@echo 'make serve-realtime  server and chat, $(MINUTES) minutes each: nothing late?'
	@echo 'make web-test    hold a conversation through the page, in a real browser'
	@echo 'make test-neon   64-bit Arm in an emulator: kernels, golden and other tests'
	@echo 'make bench       time the kernels against the reading of their bytes'
	@echo 'make bench-check has one lost more than 15 % of what is recorded?'
	@echo 'make bench-record  record (after a change, on a machine at rest)'
	@echo 'make install     install under /usr/local (PREFIX=..., DESTDIR=...)'
	@echo 'make clean       remove what was built'

setup:
	@tools/setup

# A folder is configured once; meson itself sees later changes.
$(BUILD)/build.ninja: | setup
	meson setup $(BUILD) $(MESON_FLAGS)

build: setup $(BUILD)/build.ninja
	ninja -C $(BUILD)

test: build
	meson test -C $(BUILD) --print-errorlogs

demo: build
	@tools/demo $(BUILD)/src/cli/moshi

eval-nano: build
	@tools/eval-nano $(BUILD)/src/cli/moshi models/nano $(BUILD)/evaluation

fault-matrix: build
	tests/matrix/fault_matrix.py $(BUILD)/src/cli/moshi \
		$(BUILD)/tests/matrix/moshi-faulty $(BUILD)/tests/matrix/list-faults \
		. --out docs/FAULTS.md

serve-load: build
	@tools/serve-load $(BUILD)/src/cli/moshi $(MINUTES)

serve-realtime: build
	@tools/serve-realtime $(BUILD)/src/cli/moshi $(MINUTES)

web-test: build
	@tools/web-test $(BUILD)/src/cli/moshi $(BUILD)/web-test

check-gpu: build
	meson test -C $(BUILD) --setup all --print-errorlogs --suite gpu \
		--suite gpu-long

check-asan: setup
	[ -f $(BUILD)-asan/build.ninja ] || meson setup $(BUILD)-asan \
		-Db_sanitize=address,undefined -Db_lundef=false \
		-Dbuildtype=debugoptimized $(MESON_FLAGS)
	ninja -C $(BUILD)-asan
	$(SANITIZED) ASAN_OPTIONS=detect_leaks=0 meson test -C $(BUILD)-asan \
		--print-errorlogs --timeout-multiplier 6 --suite gpu \
		--logbase gpu-testlog
	$(SANITIZED) $(NO_GPU) meson test -C $(BUILD)-asan --print-errorlogs \
		--timeout-multiplier 6 --no-suite gpu

check-tsan: setup
	[ -f $(BUILD)-tsan/build.ninja ] || meson setup $(BUILD)-tsan \
		-Db_sanitize=thread -Db_lundef=false \
		-Dbuildtype=debugoptimized $(MESON_FLAGS)
	ninja -C $(BUILD)-tsan
	TSAN_OPTIONS=halt_on_error=1 $(FIXED) meson test -C $(BUILD)-tsan \
		--print-errorlogs --timeout-multiplier 6 \
		--suite threads --suite stream --suite serve

# The program alone, and the one test that asks it for what it lacks.
check-lean: setup
	[ -f $(BUILD)-lean/build.ninja ] || meson setup $(BUILD)-lean $(MESON_FLAGS)
	meson configure $(BUILD)-lean $(foreach x,$(WITHOUT),-D$(x)=disabled) \
		$(foreach x,$(WITH),-D$(x)=enabled)
	meson test -C $(BUILD)-lean --print-errorlogs --suite lean

fuzz:
	@tools/setup --sanitizers
	@$(SANITIZED) tools/fuzz $(BUILD)-fuzz $(FUZZ_SECONDS) $(FUZZ)

test-neon:
	@tools/setup --cross
	@tools/test-neon $(BUILD)-neon

BENCHES = attend codec linear rows

bench: build
	@for name in $(BENCHES); do $(BUILD)/bench/bench_$$name || exit; done

bench-check: build
	@status=0; for name in $(BENCHES); do \
		$(BUILD)/bench/bench_$$name --check bench/recorded.txt || \
		status=1; done; exit $$status

bench-record: build
	@sed -n '/^#/p' bench/recorded.txt > $(BUILD)/recorded.txt
	@for name in $(BENCHES); do $(BUILD)/bench/bench_$$name \
		--record $(BUILD)/recorded.txt || exit; done
	@cp $(BUILD)/recorded.txt bench/recorded.txt

install: build
	meson configure $(BUILD) $(if $(PREFIX),--prefix=$(PREFIX))
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD)-neon $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-lean $(BUILD)-clang \
		$(BUILD)-fuzz
	rm -f demo.wav

.PHONY: help setup build test demo eval-nano fault-matrix serve-load \
	serve-realtime web-test check-gpu check-asan check-tsan check-lean fuzz \
	test-neon bench bench-check bench-record install clean
