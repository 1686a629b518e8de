//! Owners: whom CODEOWNERS or an approval rule names.

use serde::{Deserialize, Serialize};

/// How an owner is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// A user or a group: the text cannot tell which, only the instance can.
    Name,
    /// A role of the project: `@@developer`, `@@maintainer`, `@@owner`.
    Role,
    /// An e-mail address.
    Email,
}

/// An owner as written: `@shop/platform`, `@@maintainer`, `kim@acme.example`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// How it is named.
    pub kind: OwnerKind,
    /// The name with its marks, roles in lower-case singular.
    pub name: String,
}
