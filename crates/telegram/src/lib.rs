//! The Bot API as Tandem needs it: method table, update views, upstream client and pipe.
