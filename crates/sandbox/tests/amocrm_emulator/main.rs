//! amoCRM's emulator from outside: over its hook, its control routes and the Bot API, as Tandem would meet it.

mod account_hooks;
mod connecting;
mod faults;
mod messages;
mod replies;
mod rest;
mod stage;
