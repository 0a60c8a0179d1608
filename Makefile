# Two commands: `make run` starts a gateway with simulated devices, `make test` checks everything that needs no special
# hardware. Both install the Debian packages that are missing, by name, and go on.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.NOTPARALLEL:

SWIFT ?= swift
OLDEST_SWIFT := 6.2
BINARY := .build/release/martlet
VENV := .build/venv
DEMO := config/demo.yaml

# A static Swift program exports all its symbols, which nobody looks up: without them it takes 1.1 MB less memory.
LINKING := -Xlinker --no-export-dynamic
BUILD_GATEWAY := $(SWIFT) build --configuration release --static-swift-stdlib --disable-local-rpath --product martlet $(LINKING)
HOST_ARCH := $(shell dpkg --print-architecture 2>/dev/null)
ARCH ?= $(HOST_ARCH)
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo --preserve-env=SWIFT_PACKAGES)

# Optimised, and apart, so that it does not throw away what other builds made.
FUZZ_BUILD := $(SWIFT) build --configuration release --product martlet-fuzz --scratch-path .build
FUZZ_INPUTS := 5000000
FUZZ_SEED :=
FUZZ_SECONDS := 300
SOAK_SECONDS := 600
SOAK_KILLS := 200
SOAK_MESSAGES := 100000
SOAK_OUTAGE := 60
# Of a bus with units that are ill, and of 20 ports at full speed.
SOAK_BUS := 600
SOAK_PORTS := 3600

DEB_PACKAGES := dpkg-dev binutils
ARM64_PACKAGES := mmdebstrap binutils-aarch64-linux-gnu
BUILD_PACKAGES := libudev-dev libyaml-dev nettle-dev pkg-config
TEST_PACKAGES := $(BUILD_PACKAGES) $(DEB_PACKAGES) lintian mosquitto mosquitto-clients socat umockdev python3-venv openssl gcc libc6-dev libssl-dev libpaho-mqtt-dev nodejs node-mqtt \
    nats-server iproute2
SOAK_PACKAGES := $(TEST_PACKAGES) rabbitmq-server
# build-image.sh makes the machine of Debian's packages; the headers of its kernel come with it.
VM_PACKAGES := $(TEST_PACKAGES) qemu-system-x86 mmdebstrap busybox-static cpio kmod xz-utils e2fsprogs make \
    $(if $(filter arm64,$(ARCH)),qemu-system-arm debootstrap)
# How often the gateway is killed, power is cut, and an adapter is pulled.
VM_KILLS := 20
VM_CUTS := 20
VM_PLUGS := 100
LINTED := Sources Tests Package.swift

ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),build)),)
FOUND_SWIFT := $(shell $(SWIFT) --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
ifeq ($(FOUND_SWIFT),)
$(error Martlet is built with Swift $(OLDEST_SWIFT) or newer, and no `$(SWIFT)` was found. https://www.swift.org/install/linux says how to install it)
endif
ifneq ($(shell printf '%s\n' $(OLDEST_SWIFT) $(FOUND_SWIFT) | sort -V | head -n 1),$(OLDEST_SWIFT))
$(error Martlet is built with Swift $(OLDEST_SWIFT) or newer, and `$(SWIFT)` is $(FOUND_SWIFT). https://www.swift.org/install/linux says how to get a newer one)
endif
endif

# $(call install,packages): asks apt only for what dpkg does not know as installed.
# Debian starts servers that it installs, mosquitto even on port 1883, where Martlet listens: those that are new here are
# stopped and stay off.
define install
missing=(); \
if ! command -v dpkg-query apt-get >/dev/null; then \
    echo "This is no Debian: make sure that you have what Debian calls $(1)"; \
else \
    for package in $(1); do \
        [[ $$(dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null || true) == installed ]] \
            || missing+=("$$package"); \
    done; \
fi; \
if [[ $${#missing[@]} -gt 0 ]]; then \
    echo "Installing with apt: $${missing[*]}"; \
    root=(); [[ $$EUID -eq 0 ]] || root=(sudo); \
    "$${root[@]}" apt-get update -qq; \
    "$${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$${missing[@]}" \
        >/dev/null; \
    for server in mosquitto nats-server rabbitmq-server; do \
        if [[ " $${missing[*]} " == *" $$server "* ]]; then \
            "$${root[@]}" systemctl disable --now "$$server" >/dev/null 2>&1 || true; \
        fi; \
    done; \
fi
endef

.PHONY: build deb run test lint format bench fuzz fuzz-coverage soak vm-test clean help packages arm64-binary deb-packages test-packages soak-packages vm-packages unit-tests acceptance-tests

build: packages ## Build .build/release/martlet
	@$(BUILD_GATEWAY)

ifeq ($(ARCH)-$(HOST_ARCH),arm64-amd64)
VM_BINARY := .build-arm64/release/martlet
VM_FOREIGN := RUNNABLE=$(BINARY) STRIP=aarch64-linux-gnu-strip
else
VM_BINARY := $(BINARY)
endif

deb: deb-packages build $(if $(filter arm64,$(ARCH)),arm64-binary) ## Make the Debian package .build/martlet_VERSION_ARCH.deb (ARCH=arm64: with another Swift)
ifeq ($(ARCH)-$(HOST_ARCH),arm64-amd64)
	@RUNNABLE=$(BINARY) STRIP=aarch64-linux-gnu-strip packaging/build-deb.sh .build-arm64/release/martlet .build arm64
else
	@packaging/build-deb.sh $(BINARY) .build $(ARCH)
endif

# Debian's packages make the compiler: some minutes and 4.5 GB, once.
arm64-binary: build
ifeq ($(HOST_ARCH),amd64)
	@$(call install,$(ARM64_PACKAGES))
	@[[ -f .build/arm64-sdk/ready ]] || { $(AS_ROOT) packaging/arm64-sdk.sh .build/arm64-sdk && $(AS_ROOT) touch .build/arm64-sdk/ready; }
	@$(AS_ROOT) packaging/arm64-sdk.sh .build/arm64-sdk build --product martlet $(LINKING)
endif

# On a terminal the gateway gets a process group of its own (set -m): Ctrl-C then reaches it and not make, which would
# call a clean end an interrupt.
run: build ## Build, then start the gateway on config/demo.yaml with simulated devices
	@printf '%s\n' \
	    '' \
	    'Martlet starts with simulated devices. In another terminal, watch the readings:' \
	    "    mosquitto_sub -p 1883 -v -t '#'" \
	    'and switch a relay:' \
	    '    mosquitto_pub -p 1883 -t demo/relays/relay_1/set -m ON' \
	    "($(BINARY) sub -v -t '#' and $(BINARY) pub -t demo/relays/relay_1/set -m ON do the same)" \
	    'Ctrl-C ends it.' \
	    ''
	@if [[ -t 0 ]]; then set -m; $(BINARY) run --config $(DEMO); else exec $(BINARY) run --config $(DEMO); fi

test: test-packages lint unit-tests build acceptance-tests ## Check everything that needs no special hardware

lint: ## Check layout and the habits that a machine can see
	@$(SWIFT) format lint --strict --recursive $(LINTED)

format: ## Lay out the sources
	@$(SWIFT) format --in-place --recursive $(LINTED)

# SwiftPM lets a target import a sibling that it did not declare, unless told otherwise.
unit-tests: packages
	@$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@$(SWIFT) test --skip-build >.build/unit-tests.log 2>&1 || { \
	    grep -E '^(✘|↳|error)|Fatal error' .build/unit-tests.log || tail -n 50 .build/unit-tests.log; \
	    echo 'All that the tests said is in .build/unit-tests.log'; exit 1; }
	@grep 'Test run with' .build/unit-tests.log

acceptance-tests: build $(VENV)/ready
	@$(VENV)/bin/python -m pytest Tests/Acceptance

$(VENV)/ready: Tests/Acceptance/requirements.txt
	@mkdir -p .build
	@python3 -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

bench: test-packages build ## Measure the parts of the broker, then the whole beside mosquitto in the same run
	@$(SWIFT) build --configuration release --static-swift-stdlib --product martlet-bench $(LINKING)
	@.build/release/martlet-bench
	@python3 Benchmarks/side-by-side.py

fuzz: packages ## Try damaged input on every reader, of devices too, and on whole brokers (FUZZ_INPUTS, FUZZ_SEED)
	@$(FUZZ_BUILD)/fuzz
	@.build/fuzz/release/martlet-fuzz --inputs $(FUZZ_INPUTS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

# libFuzzer keeps what reached new branches in .build/fuzz-corpus, and begins with it the next time.
fuzz-coverage: packages ## The same with libFuzzer, which looks for new branches (FUZZ_SECONDS)
	@$(FUZZ_BUILD)/fuzz
	@$(FUZZ_BUILD)/fuzz-coverage -Xswiftc -sanitize=fuzzer -Xswiftc -parse-as-library -Xswiftc -DLIBFUZZER
	@mkdir -p .build/fuzz-corpus
	@.build/fuzz/release/martlet-fuzz --corpus .build/fuzz-corpus
	@.build/fuzz-coverage/release/martlet-fuzz -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=.build/ .build/fuzz-corpus

# A cluster of three on one machine takes its time for 100,000 messages.
soak: soak-packages build $(VENV)/ready ## Ten minutes among hostile clients, 200 kills, 100,000 messages to each server, an hour of 20 ports (SOAK_SECONDS, _KILLS, _MESSAGES, _OUTAGE, _BUS, _PORTS)
	@SOAK_SECONDS=$(SOAK_SECONDS) KILLS=$(SOAK_KILLS) UPSTREAM_MESSAGES=$(SOAK_MESSAGES) UPSTREAM_OUTAGE=$(SOAK_OUTAGE) \
	    BUS_SECONDS=$(SOAK_BUS) PORTS_SECONDS=$(SOAK_PORTS) \
	    $(VENV)/bin/python -m pytest \
	    Tests/Acceptance/test_soak.py Tests/Acceptance/kill Tests/Acceptance/test_upstreams.py \
	    Tests/Acceptance/test_buses.py -s -q \
	    -o faulthandler_timeout=$$(($(SOAK_SECONDS) + $(SOAK_KILLS) * 2 + 1800 + $(SOAK_PORTS)))

vm-test: vm-packages deb $(VENV)/ready ## Install the package in a virtual machine: systemd, GPIO, USB, reboots, power cuts (VM_KILLS, _CUTS, _PLUGS; ARCH=arm64)
	@$(VM_FOREIGN) Tests/VM/vm-test.sh $$(ls -t .build/martlet_*_$(ARCH).deb | head -n 1) $(VM_BINARY) $(VENV)/bin/python \
	    --kills $(VM_KILLS) --cuts $(VM_CUTS) --plugs $(VM_PLUGS) $(VM_OPTIONS)

clean: ## Remove everything that was built
	@rm -rf .build

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

packages:
	@$(call install,$(BUILD_PACKAGES))

deb-packages:
	@$(call install,$(DEB_PACKAGES))

test-packages:
	@$(call install,$(TEST_PACKAGES))

soak-packages:
	@$(call install,$(SOAK_PACKAGES))

vm-packages:
	@$(call install,$(VM_PACKAGES))
