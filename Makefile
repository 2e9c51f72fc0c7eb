# qcore: `make help` lists what can be made. Objects lie under $(BUILD), programs under $(BIN).
# Settings: CC=clang, SAN=1 (sanitizers, in a tree of their own), CI=1 (warnings are errors), OPT, CFLAGS, PREFIX,
# DESTDIR, DATA. PRODUCT=1 is what `make product` sets: no lib/lab and its programs; `make install PRODUCT=1` installs
# that. LEAN=1 is what `make device` sets: lib/lean instead of the libraries. BARE=1 is what `make freestanding`
# sets: not even libc.

ifeq ($(origin CC),default)
CC      := gcc
endif
VERSION := $(shell sed -n 's/^.define QC_VERSION "\(.*\)"/\1/p' lib/cli/cli.h)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
TRIPLET := $(shell $(CC) -dumpmachine 2>/dev/null)
ARCH    := $(firstword $(subst -, ,$(TRIPLET)))
CROSS   := $(if $(filter-out $(ARCH),$(shell uname -m)),-$(TRIPLET))
PREFIX  ?= /usr/local
BUILD   ?= build$(if $(LEAN),$(if $(CROSS),/device$(CROSS)))$(if $(BARE),/bare$(CROSS))$(if $(SAN),-san)
# what has the objects of BUILD, and a library and programs of its own
APART   := $(if $(PRODUCT),product/)$(if $(LEAN),$(if $(CROSS),,device/))
BIN     ?= $(if $(filter builddevice/,$(BUILD)$(APART)),bin/device,$(if \
    $(filter build,$(BUILD)$(APART)),bin,$(BUILD)/$(APART)bin))
DATA    ?= $(or $(QC_DATA),../shared/data)
WERROR  ?= $(if $(CI),-Werror)
OPT     ?= $(if $(SAN),-O1 -g1,-O3 -g)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla $(WERROR)
SANFLAGS := $(if $(SAN),-fsanitize=address -fsanitize=undefined -fsanitize=float-cast-overflow \
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
HOSTED   := $(if $(BARE),-ffreestanding -nostdlib,-D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64)
# No path of this folder gets into objects: the same sources make the same bytes anywhere.
CFLAGS_ALL = -std=c11 -ffile-prefix-map='$(CURDIR)'=. $(HOSTED) -ffp-contract=off $(OPT) $(WARNINGS) $(SANFLAGS) \
    $(CFLAGS)
LIBS     := -Wl,--as-needed -ldnnl -lgomp -lyaml -lprotobuf-c -lmatio -ljpeg -lpng -lwebp -lsndfile -lz -lm $(LDLIBS)

FLOORS   := base kernels device format data nn onnx quant coreset bitflip export live $(if $(PRODUCT),,lab) cli
SOURCES  := $(sort $(foreach f,$(FLOORS),$(wildcard lib/$f/*.c)))
ifneq ($(ARCH),x86_64)
SOURCES  := $(filter-out lib/kernels/avx%,$(SOURCES))
endif
ifeq ($(filter aarch64% arm-linux-gnueabihf,$(TRIPLET)),)
SOURCES  := $(filter-out lib/kernels/neon%,$(SOURCES))
endif
ifeq ($(filter arm-none-eabi,$(TRIPLET)),)
SOURCES  := $(filter-out lib/kernels/cortexm%,$(SOURCES))
endif
ifneq ($(ARCH),aarch64)
SOURCES  := $(filter-out lib/kernels/neondot.c,$(SOURCES))
endif
LAB      := $(addprefix src/,qc-rival.c qc-sweep.c qc-report.c)
PROGRAMS := $(patsubst src/%.c,$(BIN)/%,$(filter-out $(if $(PRODUCT),$(LAB)),$(wildcard src/qc-*.c)))
ifdef LEAN
SOURCES  := $(filter-out lib/format/yaml.c,$(filter $(foreach f,base kernels device format quant live cli,lib/$f/%) \
    lib/data/dataset% lib/data/npy.c lib/data/split.c lib/data/lines.c lib/data/number.c lib/data/stamps.c \
    lib/data/tablecells.c lib/data/tablenames.c \
    lib/export/cmodelsize.c lib/export/target% lib/nn/graph% lib/nn/loss.c lib/nn/optim.c \
    lib/nn/score.c,$(SOURCES))) \
    $(wildcard lib/lean/*.c)
PROGRAMS := $(addprefix $(BIN)/,qc-calibrate qc-eval qc-info qc-run)
LIBS     := -lm
LDFLAGS  += $(if $(SAN),,$(shell echo 'int main(void) { return 0; }' | \
    $(CC) -static -x c -o /dev/null - 2>/dev/null && echo -static))
endif
ifdef BARE
SOURCES  := $(filter-out lib/kernels/dispatch.c,$(filter lib/kernels/% lib/device/%,$(SOURCES)))
endif
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(if $(filter lib/onnx/%,$(SOURCES)),$(BUILD)/onnx/onnx.pb-c.o)
UNITS    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
HELPERS  := $(patsubst tests/device/%.c,$(BUILD)/tests/%,$(wildcard tests/device/*.c))
FUZZERS  := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES  := $(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/bench_*.c))
LIBRARY  := $(BUILD)/$(APART)libqcore.a

.PHONY: all help lib product device freestanding tests check check-now demo install uninstall deb check-deb clean
.SECONDARY:
.DELETE_ON_ERROR:

all: $(PROGRAMS) ## build the programs into bin/

help: ## list what can be made
	@sed -n 's/^\([a-z%-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

# ---- building; each command is printed as `CC lib/x.c`, or whole with V=1
run = $(if $(filter-out 0,$(V)),,@echo '$(1) $(2)';)

# A changed compiler or flag rebuilds everything; AS_BUILT=1 (tests of install) takes objects as they are.
$(BUILD)/flags: $(if $(AS_BUILT),,FORCE)
	@mkdir -p $(@D); echo '$(CC) $(CFLAGS_ALL)' | cmp -s - $@ || echo '$(CC) $(CFLAGS_ALL)' > $@
.PHONY: FORCE
FORCE:

# What --version says beside the version: in programs alone, so that a new commit links no test anew.
$(BUILD)/commit.c: $(if $(AS_BUILT),,FORCE)
	@mkdir -p $(@D); echo 'const char qc_commit[] = "$(COMMIT)";' | cmp -s - $@ || \
	    echo 'const char qc_commit[] = "$(COMMIT)";' > $@
$(BUILD)/commit.o: $(BUILD)/commit.c
	$(call run,CC,$<)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(addprefix $(BUILD)/lib/kernels/,avx2.o avx2conv.o avx2dot.o avx2series.o avx2depth.o): CFLAGS_FILE := -mavx2
$(addprefix $(BUILD)/lib/kernels/,avx512vnni.o avx512unpack.o avx512conv.o avx512depth.o): \
    CFLAGS_FILE := -mavx2 -mavx512f -mavx512bw -mavx512vl -mavx512vnni
$(addprefix $(BUILD)/lib/kernels/,neon.o neondepth.o): CFLAGS_FILE := $(if $(filter arm,$(ARCH)),-march=armv7-a+simd)
$(BUILD)/lib/kernels/neondot.o: CFLAGS_FILE := -march=armv8.2-a+dotprod

# Tests are compiled quickly: what they test is compiled as everybody has it.
$(BUILD)/tests/unit/%.o $(BUILD)/tests/fuzz/%.o: CFLAGS_FILE := -O0

# Readers of ONNX files come from the description that libonnx-dev installs.
ONNX_PROTO ?= $(firstword $(wildcard /usr/local/include/onnx/onnx.proto) /usr/include/onnx/onnx.proto)
$(BUILD)/onnx/onnx.pb-c.c: $(ONNX_PROTO)
	@mkdir -p $(@D)
	$(call run,PROTOC,$<)protoc-c --proto_path=$(dir $<) --c_out=$(@D) $<
$(BUILD)/onnx/onnx.pb-c.o: $(BUILD)/onnx/onnx.pb-c.c $(BUILD)/flags
	$(call run,CC,$<)$(CC) $(CFLAGS_ALL) -c -o $@ $<
$(BUILD)/lib/onnx/%.o: CFLAGS_FILE := -isystem $(BUILD)/onnx
$(filter $(BUILD)/lib/onnx/%,$(OBJECTS)): | $(BUILD)/onnx/onnx.pb-c.c

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,CC,$<)$(CC) $(CFLAGS_ALL) $(CFLAGS_FILE) -MMD -MP -c -o $@ $<

$(LIBRARY): $(OBJECTS)
	@mkdir -p $(@D); rm -f $@
	$(call run,AR,$@)ar rcs $@ $(OBJECTS)
lib: $(LIBRARY) ## build the library alone

product: ## build all but the laboratory (qc-rival, qc-sweep, qc-report) into build/product/bin
	@$(MAKE) --no-print-directory PRODUCT=1 all

device: ## build qc-calibrate, qc-eval, qc-info, qc-run with libc alone; CC=aarch64-linux-gnu-gcc for that device
	@$(MAKE) --no-print-directory LEAN=1 all

freestanding: ## build build/bare-*/libqcore.a for a bare machine; CC='arm-none-eabi-gcc -mcpu=cortex-m7 ...'
	@$(MAKE) --no-print-directory BARE=1 lib

$(BIN)/qc-%: $(BUILD)/src/qc-%.o $(BUILD)/commit.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call run,LD,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/test_%: $(BUILD)/tests/unit/test_%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call run,LD,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs check) $(LIBS)

# This one counts the library's allocations and lets them fail.
$(BUILD)/tests/test_memory: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc

$(HELPERS): $(BUILD)/tests/%: $(BUILD)/tests/device/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call run,LD,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/bench_kernels: $(BUILD)/tests/bench/rivals.o
$(BUILD)/tests/bench_kernels: LIBS := -lXNNPACK -lpthreadpool $(LIBS)

$(BUILD)/tests/bench_%: $(BUILD)/tests/bench/bench_%.o $(BUILD)/tests/bench/bench.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call run,LD,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

# ---- testing; each of these works as the only command on a fresh Debian: what is missing is installed first

TESTED := $(UNITS) $(HELPERS) $(FUZZERS) $(if $(SAN),,$(filter-out %/bench_kernels,$(BENCHES)))
tests: $(TESTED) ## build the tests, and the benches that need no other library

check: ## install what is missing, build everything, run every test (QC_DATA=DIR for those on real data)
	@share/setup/install.sh --test
	@$(MAKE) --no-print-directory check-now

$(BUILD)/tests/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call run,LD,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

fuzz-%: ## search for inputs that break a parser, with clang's libFuzzer (SECONDS=60; new ones go to build-fuzz/NAME)
	$(MAKE) CC=clang SAN=1 BUILD=build-fuzz CFLAGS=-fsanitize=fuzzer-no-link build-fuzz/libqcore.a \
	    build-fuzz/tests/fuzz/fuzz_$*.o
	clang -fsanitize=fuzzer,address,undefined -o build-fuzz/fuzz_$* build-fuzz/tests/fuzz/fuzz_$*.o \
	    build-fuzz/libqcore.a $(LIBS)
	tests/fuzz/search.sh $* $(or $(SECONDS),60)

fuzz-all: ## search with every fuzz target, SECONDS=60 each: name, executions, processor seconds, edges
	@mkdir -p build-fuzz; failed=0; for name in $(patsubst $(BUILD)/tests/fuzz_%,%,$(FUZZERS)); do \
	    $(MAKE) --no-print-directory fuzz-$$name >build-fuzz/all.log 2>&1 || { failed=1; cat build-fuzz/all.log; }; \
	    tail -1 build-fuzz/searches.tsv; \
	done; exit $$failed

check-now: all tests ## the same without looking for missing packages
	@CC='$(CC)' SAN='$(SAN)' BUILD='$(BUILD)' BIN='$(BIN)' QC_DATA='$(abspath $(DATA))' tests/run

demo: ## install what is missing, build, run the whole chain on synthetic data (or DATA=DIR, a UCI-DSA tree) and draw it
	@share/setup/install.sh --demo
	@$(MAKE) --no-print-directory all
	@PATH='$(abspath $(BIN))':"$$PATH" QC_SHARE='$(abspath share)' share/experiments/demo.sh \
	    $(if $(filter command% environment%,$(origin DATA)),'$(DATA)')

bench-calibrate: ## time and memory of one calibration beside the float training it replaces
bench-train: ## training throughput and memory beside PyTorch's
bench-infer: ## latency of the whole quantized InceptionTime beside PyTorch's float; two threads beside one
bench-onnx: ## latency of the whole quantized network beside ONNX Runtime, float and int8
bench-nets: ## latency of four whole networks beside all int8 forms of ONNX Runtime, one window
bench-cortexm: ## instructions on Cortex-M cores under QEMU beside CMSIS-NN's; CORES='m4 m55' counts on those alone
bench-mlperf: ## networks of MLPerf Tiny from ONNX to Cortex-M cores under QEMU: instructions, flash, RAM
bench-target: ## the estimates of qc-info --target beside QEMU's counts; CORES='m4 m55' counts on those alone
bench-fewlabels: ## an adapt with few labels on a Cortex-M4 under QEMU: instructions of request and adapt
bench-import: ## qc-import of CSV and npz on one core beside numpy.loadtxt and numpy.load
bench-run: ## time from a window's last frame to the line of qc-run, in forward passes
bench-soak: ## qc-run for 100,000 windows with kills, power cuts, late, wrong, missing labels; SOAK_WINDOWS=N
bench-wander: ## accuracy over 10,000 small batches; WANDER_SEEDS='1 2' WANDER_BATCHES=N
bench-kernels: ## integer convolutions beside XNNPACK's, oneDNN's and the core's peak; kernels of each instruction set

bench-%: ## run one benchmark: build/tests/bench_NAME or tests/bench/NAME.sh; TSV and lines `bar NAME VALUE >= BAR ok`
	@share/setup/install.sh --bench
	@$(MAKE) --no-print-directory all
	@if [ -f tests/bench/bench_$*.c ]; then \
	    $(MAKE) --no-print-directory $(BUILD)/tests/bench_$* && \
	    QC_DATA='$(abspath $(DATA))' QC_SHARE='$(abspath share)' $(BUILD)/tests/bench_$*; \
	elif [ -f tests/bench/$*.sh ]; then \
	    $(MAKE) --no-print-directory $(BUILD)/tests/pack_stream && \
	    PATH='$(abspath $(BIN))':"$$PATH" BUILD='$(abspath $(BUILD))' \
	    QC_DATA='$(abspath $(DATA))' QC_SHARE='$(abspath share)' sh tests/bench/$*.sh; \
	else echo "there is no benchmark '$*'; there are: $(sort \
	    $(patsubst tests/bench/bench_%.c,%,$(wildcard tests/bench/bench_*.c)) \
	    $(patsubst tests/bench/%.sh,%,$(wildcard tests/bench/*.sh)))" >&2; exit 2; fi

# ---- installing

DEST  = $(DESTDIR)$(PREFIX)
NAMES = $(notdir $(PROGRAMS))
# Laid out as here, so that the links of README hold.
DOCUMENTS := README.md LICENSE share/CHANGELOG.md tests/bench/README.md $(wildcard share/experiments/*.md) \
    $(wildcard share/pictures/*.svg)
# Folders that are removed when they are empty; folders of a system's own hierarchy stay.
FOLDERS := share/bash-completion/completions share/bash-completion share/zsh/vendor-completions share/zsh \
    share/fish/vendor_completions.d share/fish share/man/man1 share/man/man5 share/man/man7 share/doc lib/pkgconfig \
    $(if $(filter /usr /usr/local,$(PREFIX)),,share/man share include lib bin .)

install: all $(LIBRARY) ## install programs, manuals, documents, experiments, library and device sources under PREFIX
	install -d '$(DEST)/bin' '$(DEST)/lib/pkgconfig' \
	    '$(DEST)/share/man/man1' '$(DEST)/share/man/man5' '$(DEST)/share/man/man7' \
	    '$(DEST)/share/qcore/arch' '$(DEST)/share/qcore/experiments' '$(DEST)/share/qcore/systemd' \
	    '$(DEST)/share/qcore/examples' '$(DEST)/share/qcore/firmware' '$(DEST)/share/bash-completion/completions' \
	    '$(DEST)/share/zsh/vendor-completions' '$(DEST)/share/fish/vendor_completions.d'
	for file in $(DOCUMENTS); do install -D -m 644 $$file '$(DEST)/share/doc/qcore/'$$file; done
	install -m 755 $(PROGRAMS) '$(DEST)/bin'
	for page in man/*.[157]; do install -m 644 $$page '$(DEST)/share/man/man'$${page##*.}; done
	for file in share/arch/*.yaml; do install -m 644 $$file '$(DEST)/share/qcore/arch'; done
	install -m 644 share/experiments/*.yaml share/experiments/*.gp '$(DEST)/share/qcore/experiments'
	install -m 755 share/experiments/*.sh '$(DEST)/share/qcore/experiments'
	install -m 644 share/systemd/* '$(DEST)/share/qcore/systemd'
	install -m 644 share/firmware/* '$(DEST)/share/qcore/firmware'
	install -m 755 share/examples/*.sh '$(DEST)/share/qcore/examples'
	install -m 644 share/examples/*.c '$(DEST)/share/qcore/examples'
	for name in $(NAMES); do \
	    install -m 644 share/completions/qcore.bash '$(DEST)/share/bash-completion/completions/'$$name; \
	    install -m 644 share/completions/qcore.fish '$(DEST)/share/fish/vendor_completions.d/'$$name.fish; done
	install -m 644 share/completions/_qcore '$(DEST)/share/zsh/vendor-completions'
	install -m 644 $(LIBRARY) '$(DEST)/lib'
	for header in lib/*/*.h; do install -D -m 644 $$header '$(DEST)/include/qcore/'$${header#lib/}; done
	for source in lib/device/*.[ch] lib/kernels/*.[ch] lib/base/rng.h lib/base/crc32.h; do \
	    install -D -m 644 $$source '$(DEST)/share/qcore/'$$source; done
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: qcore' 'Description: continual calibration of quantized classifiers' \
	    'Version: $(VERSION)' 'Cflags: -I$${prefix}/include/qcore' 'Libs: -L$${prefix}/lib -lqcore' \
	    'Libs.private: -ldnnl -lyaml -lprotobuf-c -lmatio -ljpeg -lpng -lwebp -lsndfile -lz -lm' \
	    > '$(DEST)/lib/pkgconfig/qcore.pc'

uninstall: ## remove what install put there
	rm -f $(NAMES:%='$(DEST)/bin/%') $(NAMES:%='$(DEST)/share/bash-completion/completions/%')
	for page in man/*.[157]; do rm -f '$(DEST)/share/man/man'$${page##*.}/$${page#man/}; done
	rm -f $(NAMES:%='$(DEST)/share/fish/vendor_completions.d/%.fish') '$(DEST)/share/zsh/vendor-completions/_qcore'
	rm -f '$(DEST)/lib/libqcore.a' '$(DEST)/lib/pkgconfig/qcore.pc'
	rm -rf '$(DEST)/share/qcore' '$(DEST)/include/qcore' '$(DEST)/share/doc/qcore'
	for folder in $(FOLDERS); do [ ! -d '$(DEST)'/$$folder ] || \
	    rmdir --ignore-fail-on-non-empty "$$(realpath '$(DEST)'/$$folder)"; done

# The sources are copied into a folder of their own, for Debian's tools want debian/ beside the Makefile.
deb: ## build Debian packages into build/deb: qcore, qcore-dev, qcore-doc
	@share/setup/install.sh --deb
	rm -rf build/deb && mkdir -p build/deb/qcore-$(VERSION)
	cp -R --parents Makefile README.md LICENSE lib man share src tests/bench/README.md build/deb/qcore-$(VERSION)
	mv build/deb/qcore-$(VERSION)/share/debian build/deb/qcore-$(VERSION)/debian
	cd build/deb/qcore-$(VERSION) && COMMIT='$(COMMIT)' dpkg-buildpackage -b -us -uc

check-deb: ## build them twice (same bytes), lintian, install, use and purge them in a root of their own
	@share/setup/install.sh --test --deb
	@tests/packages.sh

clean: ## remove what was built
	rm -rf build build-san build-clang build-fuzz bin

-include $(wildcard $(patsubst %.o,%.d,$(OBJECTS)) $(BUILD)/src/*.d $(addsuffix /*.d,$(addprefix $(BUILD)/tests/, \
    unit bench device fuzz)))
