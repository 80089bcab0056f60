//! How many messages a second go from the journal into the emulator's amoCRM by a route of mode `channel`, beside a bare
//! loop of signed posts to the same emulator, in turn, in one run. All share the machine and this process, so the ratio
//! counts.
//!
//! `cargo run --release -p bench-channel -- [--messages 20000] [--chats 500] [--rounds 3]`

mod bare;
mod shop;

use std::time::Instant;

use clap::Parser;

use crate::{bare::rate, shop::Shop};

/// What a route has under way at a time.
const AT_A_TIME: usize = 64;

/// Measures a route of mode `channel`.
#[derive(Debug, Parser)]
struct Arguments {
    /// Messages of each round.
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
    /// Chats they are spread over.
    #[arg(long, default_value_t = 500)]
    chats: usize,
    /// Rounds of each side.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the figures are its output")]
async fn main() -> anyhow::Result<()> {
    let Arguments { messages, chats, rounds } = Arguments::parse();
    let (messages, chats) = (messages.max(1), chats.clamp(1, messages.max(1)));
    let mut shop = Shop::open().await?;
    shop.write(chats, chats).await?;
    shop.deliver().await?;
    println!("{messages} messages in {chats} chats, {AT_A_TIME} at a time");
    for round in 1..=rounds.max(1) {
        // Everything stands in the journal before the lane may begin: what is measured is the way out.
        shop.write(messages, chats).await?;
        let began = Instant::now();
        shop.deliver().await?;
        let ours = rate(messages, began);
        let bare = bare::run(&shop.channel(round), messages, chats, AT_A_TIME).await?;
        println!("round {round}: route {ours:.0}/s, bare loop {bare:.0}/s, ratio {:.2}", ours / bare);
    }
    shop.close().await;
    Ok(())
}
