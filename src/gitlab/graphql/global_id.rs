//! Global ids: `gid://gitlab/Project/123`, whose number is the id of REST.
//!
//! The class in the middle is not compared: an issue may come as a work item, a comment as a
//! `DiffNote` or a `DiscussionNote`, and both keep their number.

/// Makes the global id of an object.
pub(super) fn write(class: &str, id: i64) -> String {
    format!("gid://gitlab/{class}/{id}")
}

/// Returns the number of a global id; `None` where it has none, as the notes that GitLab makes up
/// from label and state events, which REST does not list.
pub(super) fn read(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("gid://")?.rsplit('/').next()?;
    // A parameter may follow the number.
    let digits = digits.split('?').next()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_a_global_id_is_the_id_of_rest() {
        for (text, expected) in [
            ("gid://gitlab/Project/123", Some(123)),
            ("gid://gitlab/WorkItem/7", Some(7)),
            ("gid://gitlab/DiffNote/9?x=1", Some(9)),
            ("gid://gitlab/LabelNote/2f0c1e", None),
            ("gid://gitlab/Note/", None),
            ("gid://gitlab/Note/-1", None),
            ("gid://gitlab/Note/99999999999999999999", None),
            ("123", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read(&write("Project", 123)), Some(123));
    }
}
