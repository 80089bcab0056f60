//! Rows of `secrets`.

use rusqlite::{Connection, OptionalExtension, params};

use super::{fault::Fault, sums::Sum};
use crate::{SealedSecret, SecretOwner};

fn sum(owner: &str, name: &str, sealed: &[u8]) -> Sum {
    Sum::of("secrets").text(owner).text(name).bytes(sealed)
}

pub(super) fn put(
    connection: &Connection,
    owner: &SecretOwner,
    name: &str,
    secret: &SealedSecret,
) -> Result<(), Fault> {
    let owner = owner.to_string();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO secrets (owner, name, sealed, sum)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![owner, name, secret.as_bytes(), sum(&owner, name, secret.as_bytes()).done()])?;
    Ok(())
}

pub(super) fn find(
    connection: &Connection,
    owner: &SecretOwner,
    name: &str,
) -> Result<Option<SealedSecret>, Fault> {
    let owner = owner.to_string();
    let row: Option<(Vec<u8>, i64)> = connection
        .prepare_cached("SELECT sealed, sum FROM secrets WHERE owner = ?1 AND name = ?2")?
        .query_row(params![owner, name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((sealed, stored)) = row else { return Ok(None) };
    sum(&owner, name, &sealed).verify(stored, || format!("secret {name} of {owner}"))?;
    Ok(Some(SealedSecret::from_bytes(sealed)))
}

pub(super) fn list(
    connection: &Connection,
    owner: &SecretOwner,
) -> Result<Vec<(String, SealedSecret)>, Fault> {
    let owner = owner.to_string();
    let mut statement =
        connection.prepare_cached("SELECT name, sealed, sum FROM secrets WHERE owner = ?1 ORDER BY name")?;
    let mut rows = statement.query([&owner])?;
    let mut secrets = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, sealed): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
        sum(&owner, &name, &sealed).verify(row.get(2)?, || format!("secret {name} of {owner}"))?;
        secrets.push((name, SealedSecret::from_bytes(sealed)));
    }
    Ok(secrets)
}

pub(super) fn remove(connection: &Connection, owner: &SecretOwner, name: &str) -> Result<(), Fault> {
    connection
        .prepare_cached("DELETE FROM secrets WHERE owner = ?1 AND name = ?2")?
        .execute(params![owner.to_string(), name])?;
    Ok(())
}

/// Removes every secret of an owner.
pub(super) fn remove_all(connection: &Connection, owner: &SecretOwner) -> Result<(), Fault> {
    connection.prepare_cached("DELETE FROM secrets WHERE owner = ?1")?.execute([owner.to_string()])?;
    Ok(())
}
