# The workbench. `just` lists the recipes; `just check` is what CI runs.

set shell := ["bash", "-euo", "pipefail", "-c"]

_list:
    @just --list --unsorted

# Everything CI runs.
check:
    .ci/run

# All tests, by nextest where it is installed.
test *ARGS:
    if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --workspace {{ ARGS }} && cargo test --workspace --doc; else cargo test --workspace {{ ARGS }}; fi

# Formats all code.
fmt:
    cargo fmt --all

# Clippy, warnings are errors.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, bans, sources and advisories of the dependencies.
deny:
    cargo deny check

# The API documentation, warnings are errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

# Renews `.sqlx` from the migrations, after a statement changed.
prepare:
    dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; export DATABASE_URL="sqlite://$dir/prepare.db"; cargo sqlx database create && cargo sqlx migrate run && cargo sqlx prepare --workspace -- --all-targets

# A simulated GitLab, crawled and served: needs nothing.
demo *ARGS:
    cargo run --release -- demo {{ ARGS }}

# So many random scenes in which the index must converge, from the first seed on.
converge SEEDS="10000" FROM="0":
    XREFD_SEEDS={{ FROM }}..$(({{ FROM }} + {{ SEEDS }})) cargo test --test convergence -- --ignored --nocapture

# Shows that the convergence test fails without any one protection of the sync.
mutants SEEDS="0..64" *NAMES:
    tests/convergence/mutants.sh {{ SEEDS }} {{ NAMES }}
