//! Files and folders for one user alone, and where a file is.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What a system is known by; made when it was installed. Not on macOS.
const MACHINE_ID: &str = "/etc/machine-id";
/// The permissions that others must not have.
const OTHERS: u32 = 0o077;

/// Makes folders; those that this makes are their owner's alone.
#[must_use]
pub fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

/// Opens a file for reading and writing; one that this creates is its owner's alone.
#[must_use]
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// Whether other users may read or change a file.
///
/// # Errors
/// If the system does not say.
pub fn is_open_to_others(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.permissions().mode() & OTHERS != 0)
}

/// Waits until files that were made, renamed or removed in a folder are so for good.
///
/// # Errors
/// If the folder cannot be opened, or the disk fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// What tells a file from its copies: the system it is on, and its number there.
///
/// # Errors
/// If there is no such file.
pub fn identity(file: &Path) -> io::Result<String> {
    // Not there in some containers, where the file alone has to do.
    let machine = fs::read_to_string(MACHINE_ID).unwrap_or_default();
    let inode = fs::metadata(file)?.ino();
    Ok(format!("{}\n{inode}\n", machine.trim()))
}

/// Whether the file is on a file system that other machines may use at the same time.
#[cfg(target_os = "linux")]
#[must_use]
pub fn is_on_network(file: &Path) -> bool {
    // Truncated on purpose: the numbers have 32 bits, their type has more on most systems.
    rustix::fs::statfs(file).is_ok_and(|system| NETWORK.contains(&(system.f_type as u32)))
}

/// The same where the system names its file systems in another way: not known. SQLite finds out
/// by trying.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn is_on_network(_: &Path) -> bool {
    false
}

/// The file systems that other machines may use at the same time, as `statfs` names them. On
/// some of them the log of SQLite seems to work, until a second machine writes.
#[cfg(target_os = "linux")]
const NETWORK: &[u32] = &[
    0x6969,      // NFS
    0x517b,      // SMB
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB 2
    0x0102_1997, // 9p: shared folders of virtual machines, WSL
    0x6573_5546, // FUSE: sshfs, virtiofs and others
    0x00c3_6400, // Ceph
    0x0bd0_0bd0, // Lustre
    0x4750_4653, // GPFS
    0x0116_1970, // GFS2
    0x7461_636f, // OCFS2
    0x5346_414f, // AFS
    0x7375_7245, // Coda
    0x786f_4256, // shared folders of VirtualBox
];
