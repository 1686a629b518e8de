//! Which mentions stand behind a word that closes: `Closes #12, #13 and WEB-4`.
//!
//! The words, the optional colon and the lists are GitLab's own; a line break ends a list. What
//! GitLab then closes is not asked, only what the author wrote.

use std::sync::LazyLock;

use regex::Regex;

use super::Mention;

/// Bytes before a mention that can hold a closing word.
const REACH: usize = 48;

static WORD: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = concat!(
        r"\b(?:[Cc]los(?:e[sd]?|ing)|[Ff]ix(?:e[sd]|ing)?|[Rr]esolv(?:e[sd]?|ing)|",
        r"[Ii]mplement(?:s|ed|ing)?):? +(?:issues? +)?([*_\[]{0,3})$",
    );
    Regex::new(pattern).expect("the pattern is fixed and tested")
});

static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[*_\]]{0,3}(?: *,? +and +| *, *| +)[*_\[]{0,3}$")
        .expect("the pattern is fixed and tested")
});

/// Marks the mentions that a closing word announces. They come in the order of the text.
pub(super) fn mark(text: &str, mentions: &mut [Mention]) {
    let mut previous: Option<(usize, bool)> = None;
    for mention in mentions {
        let announced = closes(text, mention);
        let continued = previous.is_some_and(|(end, closing)| {
            closing && text.get(end..mention.span.start).is_some_and(|gap| BETWEEN.is_match(gap))
        });
        mention.closing = can_close(mention) && (announced || continued);
        previous = Some((mention.span.end, mention.closing));
    }
}

/// Says whether a mention is of something that can be closed.
fn can_close(mention: &Mention) -> bool {
    match mention.reference.kind.as_str() {
        "gitlab_issue" | "gitlab_work_item" => true,
        kind => !kind.starts_with("gitlab_") && kind != "git_sha",
    }
}

fn closes(text: &str, mention: &Mention) -> bool {
    let mut from = mention.span.start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let Some(captures) =
        text.get(from..mention.span.start).and_then(|before| WORD.captures(before))
    else {
        return false;
    };
    // GitLab reads the raw text, so emphasis keeps it from closing its own issues.
    let bare = captures.get(1).is_none_or(|marks| marks.is_empty());
    bare || !mention.reference.kind.starts_with("gitlab_")
}
