//! A file that goes through the disk, because its length is not known before it is here.

use std::{
    fs::File,
    io::{Read, Seek, Write},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tandem_telegram::{reply::HEAD_BYTES, upstream::FileStream};
use tokio::task::spawn_blocking;

use super::{FileTrouble, Files, OpenFile, fetch::broke};

/// How much is read at a time.
const CHUNK_BYTES: usize = 64 << 10;

impl Files {
    /// Writes a file to disk, where it has no name and goes with the last who has it open.
    pub(super) async fn spool(&self, mut content: FileStream) -> Result<OpenFile, FileTrouble> {
        let folder = self.config.spool.clone().unwrap_or_else(std::env::temp_dir);
        let no_place = |error: std::io::Error| {
            FileTrouble::Later(format!("there is no place for the file: {}", error.kind()))
        };
        let mut file = blocking(move || tempfile::tempfile_in(folder)).await.map_err(no_place)?;
        let (mut head, mut size_bytes) = (Vec::new(), 0_u64);
        while let Some(data) = content.next().await {
            let data = data.map_err(|error| broke(&*error))?;
            size_bytes += data.len() as u64;
            if size_bytes > self.config.max_bytes {
                return Err(self.too_large());
            }
            head.extend_from_slice(&data[..data.len().min(HEAD_BYTES.saturating_sub(head.len()))]);
            let written = blocking(move || file.write_all(&data).map(|()| file)).await;
            file = written.map_err(no_place)?;
        }
        let file = blocking(move || file.rewind().map(|()| file)).await.map_err(no_place)?;
        let content = stream::try_unfold(file, |file| async move { Ok(read(file).await?) });
        Ok(OpenFile { head: head.into(), size_bytes, content: Box::pin(content) })
    }
}

async fn read(mut file: File) -> std::io::Result<Option<(Bytes, File)>> {
    blocking(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        let length = file.read(&mut chunk)?;
        chunk.truncate(length);
        Ok((length > 0).then(|| (chunk.into(), file)))
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    spawn_blocking(work).await.map_err(std::io::Error::other)?
}
