//! References inside a template: every `use`, `clip-path` and `url(#id)` leads to the right sort
//! of element inside `defs`, none leads to itself, and the whole stays small when all are followed.
//!
//! The last rule is what stops a "billion laughs" made of ten `use` elements that each name ten
//! others. No box may stand in `defs`, and no box in a group that fades or clips, because boxes
//! are laid between the layers of the drawing.

use std::collections::BTreeMap;

use crate::{
    RenderError,
    error::Problem,
    limits::{EXPANDED_DEPTH_MAX, EXPANDED_MAX},
    profile::{Child, Element},
    values::{local_href, local_url},
};

/// What a layer of its own counts as, in elements: a thousand of them reach the limit.
const LAYER_COST: usize = 400;
/// What `use` may draw.
const DRAWABLE: &[&str] =
    &["rect", "circle", "ellipse", "line", "path", "polygon", "polyline", "use", "g", "image"];

/// Checks all references of the template.
pub(crate) fn check(root: &Element) -> Result<(), RenderError> {
    let mut book = Book { defined: BTreeMap::new(), costs: BTreeMap::new() };
    book.collect(root, false)?;
    let mut open = Vec::new();
    book.cost(root, &mut open).map(|_| ())
}

/// What drawing something costs once every reference is followed.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Elements and path commands.
    size: usize,
    /// Nesting.
    depth: usize,
}

struct Book<'a> {
    defined: BTreeMap<&'a str, &'a Element>,
    costs: BTreeMap<&'a str, Cost>,
}

impl<'a> Book<'a> {
    fn collect(&mut self, element: &'a Element, in_defs: bool) -> Result<(), RenderError> {
        let in_defs = in_defs || element.name == "defs";
        if let Some(id) = element.attribute("id").filter(|_| in_defs) {
            self.defined.insert(id, element);
        }
        let fades = needs_a_layer(element);
        for child in &element.children {
            match child {
                Child::Element(child) => self.collect(child, in_defs)?,
                Child::Box(boxed) if in_defs => {
                    return Err(unsupported("a box inside <defs>", boxed.place));
                }
                Child::Box(_) => {}
            }
        }
        match first_box(element) {
            Some(place) if fades => Err(unsupported("a box inside a group with opacity or clip-path", place)),
            _ => Ok(()),
        }
    }

    /// What drawing this element costs.
    fn cost(&mut self, element: &'a Element, open: &mut Vec<&'a str>) -> Result<Cost, RenderError> {
        let mut total = Cost { size: 1, depth: 0 };
        if let Some(data) = element.attribute("d").or_else(|| element.attribute("points")) {
            // A path command needs at least two bytes of text; half is an upper bound of their number.
            total.size += data.len() / 2;
        }
        if needs_a_layer(element) {
            total.size += LAYER_COST;
        }
        for name in ["fill", "stroke"] {
            if let Some(id) = element.attribute(name).and_then(local_url) {
                self.target(id, &["linearGradient", "radialGradient"])?;
            }
        }
        let mut inside: Vec<Cost> = Vec::new();
        if let Some(id) = element.attribute("clip-path").and_then(local_url) {
            let target = self.target(id, &["clipPath"])?;
            inside.push(self.target_cost(id, target, open)?);
        }
        if element.name == "use"
            && let Some(id) = element.attribute("href").and_then(local_href)
        {
            let target = self.target(id, DRAWABLE)?;
            inside.push(self.target_cost(id, target, open)?);
        }
        for child in &element.children {
            if let Child::Element(child) = child {
                inside.push(self.cost(child, open)?);
            }
        }
        for cost in inside {
            total.size = total.size.saturating_add(cost.size);
            total.depth = total.depth.max(cost.depth);
        }
        total.depth += 1;
        let limit = |what, limit| RenderError::from(Problem::TemplateLimit { what, limit, place: None });
        if total.size > EXPANDED_MAX {
            return Err(limit("elements and path commands after following references", EXPANDED_MAX));
        }
        if total.depth > EXPANDED_DEPTH_MAX {
            return Err(limit("nesting after following references", EXPANDED_DEPTH_MAX));
        }
        Ok(total)
    }

    fn target(&self, id: &str, kinds: &[&str]) -> Result<&'a Element, RenderError> {
        self.defined
            .get(id)
            .copied()
            .filter(|element| kinds.contains(&element.name))
            .ok_or_else(|| Problem::TemplateReference { id: id.to_owned() }.into())
    }

    fn target_cost(
        &mut self,
        id: &'a str,
        target: &'a Element,
        open: &mut Vec<&'a str>,
    ) -> Result<Cost, RenderError> {
        if let Some(known) = self.costs.get(id) {
            return Ok(*known);
        }
        // A chain of references is as deep as nested elements may be.
        if open.contains(&id) || open.len() >= crate::limits::DEPTH_MAX {
            return Err(Problem::TemplateReference { id: id.to_owned() }.into());
        }
        open.push(id);
        let cost = self.cost(target, open)?;
        open.pop();
        self.costs.insert(id, cost);
        Ok(cost)
    }
}

/// Groups that fade or clip are drawn on a layer of their own, which costs as much as many lines.
fn needs_a_layer(element: &Element) -> bool {
    element.attribute("opacity").is_some_and(|value| value != "1")
        || element.attribute("clip-path").is_some_and(|value| value != "none")
}

fn first_box(element: &Element) -> Option<crate::error::Place> {
    element.children.iter().find_map(|child| match child {
        Child::Box(boxed) => Some(boxed.place),
        Child::Element(child) => first_box(child),
    })
}

fn unsupported(what: &str, place: crate::error::Place) -> RenderError {
    Problem::TemplateUnsupported { what: what.to_owned(), place: Some(place) }.into()
}
