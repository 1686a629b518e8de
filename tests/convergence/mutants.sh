#!/usr/bin/env bash
# Shows that the convergence test sees what each protection of the sync is for.
#
# A copy of the tree gets a switch in front of each protection (`XREFD_WITHOUT=NAME` turns one off),
# and is built once. With all of them on, the scenes must pass; with any one off, one must fail.
# A text that is not found exactly once is an error: the protection is then somewhere else.
#
#   mutants.sh [SEEDS=0..64] [MUTANT...]      docs: docs/testing.md

set -euo pipefail

seeds=${1:-0..64}
shift || true
root=$(cd "$(dirname "$0")/../.." && pwd)
copy=${XREFD_MUTANTS_DIR:-${TMPDIR:-/tmp}/xrefd-mutants}
told=$copy/told
mkdir -p "$copy/tree" "$told"
# Only what the build needs, and nothing that git does not know; times stay, so that a second run
# builds only what changed.
(cd "$root" && git ls-files -z --cached --others --exclude-standard) |
    (cd "$root" && tar --null --files-from=- --ignore-failed-read -cf -) | tar -C "$copy/tree" -xf -

# replace FILE OLD NEW: in the copy, exactly once.
replace() {
    local file=$copy/tree/$1 text rest
    text=$(cat "$file"; printf x)
    text=${text%x}
    rest=${text//"$2"/}
    if ((${#text} - ${#rest} != ${#2})); then
        echo "not found exactly once in $1: $2" >&2
        exit 2
    fi
    printf '%s' "${text/"$2"/"$3"}" >"$file"
}

mutants=()
# mutant NAME: declares one; the replacements that follow belong to it.
mutant() { mutants+=("$1"); }

cat >>"$copy/tree/src/lib.rs" <<'RUST'

/// Says whether a protection is switched off; only in a copy of the code.
#[allow(clippy::disallowed_methods)]
pub(crate) fn without(protection: &str) -> bool {
    std::env::var("XREFD_WITHOUT").is_ok_and(|name| name == protection)
}
RUST

# What was committed late, or shown late by a replica, is not read again.
mutant overlap
replace src/crawl/items/recent.rs 'earlier(watermark, OVERLAP)' \
    'earlier(watermark, if crate::without("overlap") { SignedDuration::ZERO } else { OVERLAP })'

# A full page of one time is taken for all of it.
mutant ties
replace src/crawl/walk.rs '            Some(next) => {
                self.turned = true;' '            Some(_) if after.is_some() && crate::without("ties") => {
                self.advance(after, &[]);
                Step::From(after)
            }
            Some(next) => {
                self.turned = true;'

# Comments within a minute of another change are not looked for.
mutant second-look
replace src/crawl/notes.rs 'store.mark_notes_due(run, began_at, pass == Pass::Full).await?;' \
    'if !crate::without("second-look") || pass == Pass::Full {
            store.mark_notes_due(run, began_at, pass == Pass::Full).await?;
        }'
replace src/crawl/items/recent.rs 'if self.with_notes && crawler.inner.source.comments {' \
    'if self.with_notes && crawler.inner.source.comments && !crate::without("second-look") {'

# Numbers are compared, and ids never.
mutant id-sets
replace src/crawl/items/mod.rs 'self.remove_unseen(reading, walk.run).await?;' \
    'if !crate::without("id-sets") { self.remove_unseen(reading, walk.run).await?; }'

# A sweep compares numbers only.
mutant sweep
replace src/crawl/run.rs 'self.read_items(run, pass, kind,' \
    'let pass = if pass == Pass::Sweep && crate::without("sweep") { Pass::Sync } else { pass };
                self.read_items(run, pass, kind,'
replace src/crawl/reconcile/mod.rs 'Pass::Full | Pass::Sweep if report.has_resumed()' \
    'Pass::Full | Pass::Sweep if report.has_resumed() || crate::without("sweep")'

# An answer to an earlier question overwrites that to a later one.
mutant stale-guard
replace src/store/items.rs 'Some(stored) if is_later(' \
    'Some(stored) if !crate::without("stale-guard") && is_later('

# A project that joined is not read by a list of its own.
mutant joined
replace src/crawl/items/mod.rs '        let mut stream = store.find_stream(root.key, list).await?;' \
    '        if root.origin == Origin::Joined && pass == Pass::Sync && crate::without("joined") {
            return Ok(());
        }
        let mut stream = store.find_stream(root.key, list).await?;'

# What changed while a list was walked over is not caught up with.
mutant catch-up
replace src/crawl/items/mod.rs '                stream = store.find_stream(root.key, list).await?;
            }
        }' '                stream = store.find_stream(root.key, list).await?;
                if offers && crate::without("catch-up") {
                    store.end_of_list(root.key, list, self.gitlab_now(), None).await?;
                    return Ok(());
                }
            }
        }'

export SQLX_OFFLINE=true CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$copy/target}
(cd "$copy/tree" && cargo test -p xrefd --test convergence --no-run --message-format=json-render-diagnostics \
    >"$told/build.json" 2>"$told/build.log") || { tail -40 "$told/build.log" >&2; exit 2; }
test=$(grep -o '"executable":"[^"]*convergence-[^"]*"' "$told/build.json" | tail -1 | cut -d'"' -f4)

# play NAME: plays until the first scene fails; says so in one line, and 0 where one did.
play() {
    local log=$told/$1.log from=${seeds%..*} to=${seeds#*..} step
    : >"$log"
    # Some at a time, so that it ends soon after the first.
    for ((step = from; step < to; step += 4)); do
        local end=$((step + 4 < to ? step + 4 : to))
        if ! (cd "$copy/tree" && XREFD_WITHOUT=$1 XREFD_SEEDS=$step..$end "$test" --ignored \
            --exact as_many_scenes_as_one_likes --nocapture --test-threads=1) >"$log" 2>&1; then
            local seed difference
            seed=$(grep -o 'seed [0-9]*: Scene' "$log" | head -1 | cut -d: -f1)
            difference=$(grep -m1 -E '^ +(missing|too much): |^still a problem|did not end|panicked' \
                "$log" || echo "see $log")
            printf '| %s | %s | %s |\n' "$1" "${seed#seed }" "${difference#"${difference%%[! ]*}"}"
            return 0
        fi
    done
    printf '| %s | none of %s | |\n' "$1" "$seeds"
    return 1
}

wanted=("$@")
echo '| Without | Failed at seed | First difference |'
echo '|---|---|---|'
wrong=0
if ((${#wanted[@]} == 0)); then
    wanted=("${mutants[@]}")
    if play nothing; then wrong=1; fi
fi
for name in "${wanted[@]}"; do
    if ! play "$name"; then wrong=1; fi
done
exit "$wrong"
