//! amoCRM's JSON, as it is on the wire. What is read tolerates fields and values that nobody knows; what is written has
//! exactly the types that the documentation asks for.

pub(crate) mod answer;
pub(crate) mod hook;
pub(crate) mod people;
pub(crate) mod rest;
pub(crate) mod send;
