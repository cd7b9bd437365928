//! A stream cut into pieces, as TCP may cut it.

/// How many cuts an input may name; they are used over and over.
const MAX_CUTS: u8 = 7;
/// Marks a cut after which the stream goes quiet.
const QUIET: u8 = 0x80;
/// The bits of a cut that say how long its piece is, less one.
const LENGTH: u8 = 0x3f;

/// One byte that says how many cuts follow, the cuts, and then the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces<'a> {
    cuts: &'a [u8],
    /// The stream, uncut.
    pub(crate) stream: &'a [u8],
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        let (count, rest) = data.split_first().unwrap_or((&0, &[]));
        let count = usize::from(count & MAX_CUTS).min(rest.len());
        let (cuts, stream) = rest.split_at(count);
        Self { cuts, stream }
    }

    /// The pieces in order, and whether the stream goes quiet after each.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a [u8], bool)> {
        let mut rest = self.stream;
        let whole = (usize::MAX, false);
        let cuts = self.cuts.iter().map(|cut| {
            let length = usize::from(cut & LENGTH) + 1;
            (length, cut & QUIET != 0)
        });
        let cuts = cuts.cycle().chain(std::iter::repeat(whole));
        cuts.map_while(move |(length, quiet)| {
            let (piece, after) = rest.split_at(length.min(rest.len()));
            rest = after;
            (!piece.is_empty()).then_some((piece, quiet))
        })
    }

    /// Cut only where the stream goes quiet.
    pub(crate) fn by_silence(self) -> Vec<Vec<u8>> {
        let mut parts = vec![Vec::new()];
        for (piece, quiet) in self.iter() {
            parts.last_mut().unwrap().extend_from_slice(piece);
            if quiet {
                parts.push(Vec::new());
            }
        }
        parts
    }
}
