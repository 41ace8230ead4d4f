# A target with a comment behind ## is listed by a bare make.
.DEFAULT_GOAL := help
.PHONY: help build test race check prove fuzz torture torture-quick portable 386 arm64 bench goals demo fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/producer and bin/consumer
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/producer ./cmd/consumer

test: ## run all tests
	go test ./...

race: ## run all tests with the race detector
	.ci/run race

check: ## run the gate: everything a change must pass
	.ci/run

prove: ## explore the model and the real code, and kill every mutant (under 5 minutes)
	bash -o pipefail -c "go test -count=1 -tags explore -run '^Test(Mutants|KilledAtEveryStore|EverySchedule|Hostile)' -v ./ring | grep -v '^=== '"
	go run ./internal/prove

fuzz: ## run each fuzz target for FUZZ_COUNT inputs (1000000)
	FUZZ_COUNT=$${FUZZ_COUNT:-1000000} .ci/run fuzz engine

torture-quick: ## kill, stop, starve and soak, in small numbers (under 5 minutes)
	go run ./fuzz/torture -quick -skip F1

torture: ## the same in large numbers (hours)
	go run ./fuzz/torture

portable: ## test what systems other than Linux get
	.ci/run portable

386: ## test on 32 bits
	.ci/run 386

arm64: ## test on arm64, emulated
	.ci/run arm64

bench: ## measure the ring and everything beside it (10 minutes)
	go run ./bench -peers -html bench.html -json bench.json

goals: ## measure what the ring is to reach (3 minutes)
	go run ./bench -goals

demo: build ## show a ring turn
	bin/producer -demo

fmt: ## format all Go files
	gofmt -w .

clean: ## remove what was built
	rm -rf bin
