//! References: what a text mentions, and who mentions it.

use std::collections::BTreeSet;

use super::{Error, Item, ItemQuery, Lookup, Page, ReadReference, Viewer};
use crate::model::ItemKind;
use crate::store::read::{Listing, ReferenceRow, Visibility};

/// Ids looked up in one text. Each costs a few statements.
const MAX_IDS: usize = 50;

/// The longest text that is read for ids. Longer ones are cut: nobody pastes a book.
const MAX_TEXT_BYTES: usize = 16 << 10;

impl Lookup {
    /// Reads the ids out of a text, and says how often each is mentioned.
    ///
    /// A text that is one word and names no kind, such as `q285nzxjg65xdh`, is looked up as an id
    /// of any kind.
    pub async fn mentions_in(
        &self,
        text: &str,
        viewer: &Viewer,
    ) -> Result<Vec<ReadReference>, Error> {
        let visibility = self.visibility(viewer).await?;
        self.read_references(text, &visibility).await
    }

    pub(super) async fn read_references(
        &self,
        text: &str,
        visibility: &Visibility,
    ) -> Result<Vec<ReadReference>, Error> {
        let text = cut(text.trim(), MAX_TEXT_BYTES);
        let mut read = Vec::new();
        let mut seen = BTreeSet::new();
        for mention in self.reader.references().read_query(text).into_iter().take(MAX_IDS) {
            let quote = text.get(mention.span.clone()).unwrap_or_default().to_owned();
            let (kind, id) = (mention.reference.kind, mention.reference.id);
            if !seen.insert((kind.clone(), id.clone())) {
                continue;
            }
            let row = self.known(&kind, &id).await?;
            let found = self.read_reference(&kind, &id, quote, row, visibility).await?;
            // A guess is a reading only when something confirms it that the viewer may see: else
            // the guess itself would tell what is hidden.
            if mention.certain || found.known {
                read.push(found);
            }
        }
        if !text.is_empty() && !text.contains(char::is_whitespace) {
            for row in self.store.list_references_like(text).await? {
                if seen.insert((row.kind.clone(), row.id.clone())) {
                    let (kind, id) = (row.kind.clone(), row.id.clone());
                    let found = self
                        .read_reference(&kind, &id, text.to_owned(), Some(row), visibility)
                        .await?;
                    if found.known {
                        read.push(found);
                    }
                }
            }
        }
        Ok(read)
    }

    /// Lists the items that mention a reference; `None` when nothing visible does.
    pub async fn mentions_of(
        &self,
        kind: &str,
        id: &str,
        items: Option<ItemKind>,
        query: &ItemQuery,
        viewer: &Viewer,
    ) -> Result<Option<Page<Item>>, Error> {
        let visibility = self.visibility(viewer).await?;
        let Some(row) = self.known(kind, id).await? else { return Ok(None) };
        let (issues, merge_requests) = self.store.count_reference(row.key, &visibility).await?;
        if issues + merge_requests == 0 {
            return Ok(None);
        }
        self.page(Listing::Reference(row.key, items), query, &visibility).await.map(Some)
    }

    /// Finds a reference by its kind and its id in any case.
    pub(super) async fn known(&self, kind: &str, id: &str) -> Result<Option<ReferenceRow>, Error> {
        if let Some(row) = self.store.find_reference(kind, id).await? {
            return Ok(Some(row));
        }
        let like = self.store.list_references_like(id).await?;
        Ok(like.into_iter().find(|row| row.kind == kind))
    }

    async fn read_reference(
        &self,
        kind: &str,
        id: &str,
        text: String,
        known: Option<ReferenceRow>,
        visibility: &Visibility,
    ) -> Result<ReadReference, Error> {
        let (issues, merge_requests) = match &known {
            Some(row) => self.store.count_reference(row.key, visibility).await?,
            None => (0, 0),
        };
        let known_id = known.filter(|_| issues + merge_requests > 0).map(|row| row.id);
        Ok(ReadReference {
            kind: kind.to_owned(),
            known: known_id.is_some(),
            id: known_id.unwrap_or_else(|| id.to_owned()),
            text,
            issues,
            merge_requests,
        })
    }
}

/// Cuts a text to a number of bytes, at the border of a character.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
