//! Every limit of this crate, in one place and with a name.
//!
//! They bound what a stranger's template or a strange name can cost; none of them is reached by an
//! honest certificate. The first six are frozen with version 1 of the profile.

/// Bytes of a template.
pub const TEMPLATE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Elements of a template.
pub const ELEMENTS_MAX: usize = 5_000;
/// Text and QR boxes of a template.
pub const BOXES_MAX: usize = 200;
/// Nesting of elements.
pub const DEPTH_MAX: usize = 32;
/// Commands in all path data of a template.
pub const PATH_COMMANDS_MAX: usize = 200_000;
/// Elements and path commands after every `use` and `clip-path` was followed.
pub const EXPANDED_MAX: usize = 400_000;
/// Nesting after every `use` and `clip-path` was followed.
pub const EXPANDED_DEPTH_MAX: usize = 64;
/// XML nodes that the reader keeps at all (elements, text, comments).
pub const XML_NODES_MAX: u32 = 20_000;
/// Largest absolute value of a number in the drawing.
pub const NUMBER_MAX: f64 = 100_000.0;
/// Numbers in a dash pattern.
pub const DASHES_MAX: usize = 16;
/// Shortest and longest side of a page, in micrometres (20 mm to 1,000 mm).
pub const SIDE_UM: std::ops::RangeInclusive<i64> = 20_000..=1_000_000;
/// Fonts in the chain of one box.
pub const FONT_CHAIN_MAX: usize = 8;
/// Different fonts of a template.
pub const FONTS_MAX: usize = 32;
/// Bytes of one font or image.
pub const ASSET_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Bytes of all fonts and images of a template that are not bundled.
pub const ASSETS_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Pixels of one image.
pub const IMAGE_PIXELS_MAX: u64 = 40_000_000;
/// Characters of one box after its tokens are filled.
pub const BOX_TEXT_CHARS_MAX: usize = 2_000;
/// Lines of one box.
pub const LINES_MAX: i64 = 40;
/// Bytes of the link that a QR code carries.
pub const LINK_BYTES_MAX: usize = 1_024;
/// Smallest side of a QR module, in micrometres: below it, phones do not read print.
pub const QR_MODULE_UM_MIN: i64 = 250;
/// Allowed widths of a PNG, in pixels.
pub const PNG_WIDTH: std::ops::RangeInclusive<u32> = 16..=4_096;
/// Pixels of a PNG.
pub const PNG_PIXELS_MAX: u64 = 24_000_000;
/// Bytes of an attachment of a PDF.
pub const ATTACHMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of drawing between boxes, definitions counted once for each layer.
pub const LAYERS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Widest picture whose drawing below the first box is kept for the next page, in pixels.
pub const GROUND_WIDTH_MAX: u32 = 1_684;
