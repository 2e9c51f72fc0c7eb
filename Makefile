# qcore: `make help` lists what can be made. Objects lie under $(BUILD), programs under bin/.

ifeq ($(origin CC),default)
CC      := gcc
endif
PREFIX  ?= /usr/local
BUILD   ?= build$(if $(SAN),-san)
BIN     ?= $(if $(SAN),$(BUILD)/bin,bin)
DATA    ?= $(or $(QC_DATA),../shared/data)
WERROR  ?= $(if $(CI),-Werror)
OPT     ?= -O3 -g

ARCH     := $(shell $(CC) -dumpmachine | cut -d- -f1)
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wno-unknown-warning-option $(WERROR)
SANFLAGS := $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -ffp-contract=off $(OPT) $(WARNINGS) $(SANFLAGS) $(CFLAGS)
LIBS     := -ldnnl -lyaml -lm $(LDLIBS)

FLOORS   := base kernels device format cli data nn quant coreset bitflip eval
SOURCES  := $(sort $(foreach f,$(FLOORS),$(wildcard lib/$f/*.c)))
ifneq ($(ARCH),x86_64)
SOURCES  := $(filter-out lib/kernels/avx2.c,$(SOURCES))
endif
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
PROGRAMS := $(patsubst src/%.c,$(BIN)/%,$(wildcard src/qc-*.c))
UNITS    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
BENCHES  := $(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/bench_*.c))
LIBRARY  := $(BUILD)/libqcore.a

.PHONY: all help lib check demo install uninstall clean setup
.SECONDARY:
.DELETE_ON_ERROR:

all: $(PROGRAMS) ## build the programs into bin/

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

# A changed compiler or flag rebuilds everything.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(CFLAGS_ALL)' | cmp -s - $@ || echo '$(CC) $(CFLAGS_ALL)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/lib/kernels/avx2.o: CFLAGS_FILE := -mavx2

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(CFLAGS_FILE) -MMD -MP -c -o $@ $<

$(LIBRARY): $(OBJECTS)
	@rm -f $@; ar rcs $@ $(OBJECTS)
lib: $(LIBRARY)

$(BIN)/qc-%: $(BUILD)/src/qc-%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/test_%: $(BUILD)/tests/unit/test_%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs check) $(LIBS)

$(BUILD)/tests/bench_%: $(BUILD)/tests/bench/bench_%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

clean: ## remove what was built
	rm -rf build build-san bin

-include $(wildcard $(patsubst %.o,%.d,$(OBJECTS)) $(BUILD)/src/*.d $(BUILD)/tests/unit/*.d $(BUILD)/tests/bench/*.d)
