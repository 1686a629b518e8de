//! GraphQL: many things in one request, where GitLab has it and the token may use it.
//!
//! Queries stand in `.graphql` files beside this one and are held against GitLab's published
//! schema by a test. A query counts as one request of the ordinary budget. What GraphQL refuses
//! is asked by REST; nothing is taken for absent because a part of an answer is.
