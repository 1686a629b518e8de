//! The HTTP API against the contract (design.md, section 8): shapes, questions, pages, keys.

mod support;

#[path = "http_api/document.rs"]
mod document;
#[path = "http_api/keys.rs"]
mod keys;
#[path = "http_api/live.rs"]
mod live;
#[path = "http_api/pages.rs"]
mod pages;
#[path = "http_api/shapes.rs"]
mod shapes;
