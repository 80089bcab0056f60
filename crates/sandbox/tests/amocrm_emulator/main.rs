//! amoCRM's emulator from outside: over its hook, its control routes and the Bot API, as Tandem would meet it.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod account_hooks;
mod channel;
mod channel_connecting;
mod channel_faults;
mod channel_hooks;
mod channel_messages;
mod connecting;
mod faults;
mod messages;
mod oauth;
mod replies;
mod rest;
mod rest_cards;
mod rest_channels;
mod rest_client;
mod rest_lists;
mod rest_managers;
mod stage;
