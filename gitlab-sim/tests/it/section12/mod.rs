//! The 40 points of section 12 of the behavioural reference: each has a test `point_NN_…` whose name
//! says the behaviour. A point that has two sides (REST and GraphQL, say) has a test for each.

mod faults;
mod graphql;
mod hooks;
mod limits;
mod lists;
mod rest;
