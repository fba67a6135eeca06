//! Rust source as the rules read it: comments, texts and tests made blank, lines kept.

/// Returns `source` with everything blank that is not code of the product: comments, the inside
/// of string and character literals, and every item under `#[cfg(test)]`.
pub(crate) fn product(source: &str) -> String {
    without_tests(&without_texts(source))
}

/// Returns `source` with comments and the inside of literals made blank.
pub(crate) fn without_texts(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match &chars[at..] {
            ['/', '/', ..] => line_end(&chars, at),
            ['/', '*', ..] => block_comment_end(&chars, at),
            ['r', '"' | '#', ..] if !follows_a_name(&chars, at) => raw_text_end(&chars, at),
            ['"', ..] => text_end(&chars, at),
            ['\'', '\\', ..] => char_end(&chars, at),
            ['\'', _, '\'', ..] => at + 3,
            _ => at,
        };
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            // Quotes go with their text: what is left still has the same lines.
            code.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    code
}

fn follows_a_name(chars: &[char], at: usize) -> bool {
    // `br"…"` starts at its `b`, which is then left standing: no rule looks for a lone `b`.
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') && chars[at - 1] != 'b'
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..]
        .iter()
        .position(|c| *c == '\n')
        .map_or(chars.len(), |length| at + length)
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at < chars.len() {
        match &chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn text_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn char_end(chars: &[char], start: usize) -> usize {
    // After `'\` comes one escaped character, which may itself be the quote.
    let from = (start + 3).min(chars.len());
    chars[from..]
        .iter()
        .position(|c| *c == '\'')
        .map_or(chars.len(), |length| from + length + 1)
}

fn raw_text_end(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + 1 + hashes) != Some(&'"') {
        return start;
    }
    let closing: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    let from = start + 2 + hashes;
    chars[from..]
        .windows(closing.len())
        .position(|window| window == closing)
        .map_or(chars.len(), |length| from + length + closing.len())
}

/// Returns `code` (without texts) with every item under `#[cfg(test)]` made blank.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut rest = code;
    let mut product = String::with_capacity(code.len());
    while let Some((before, after)) = rest.split_once(MARK) {
        product.push_str(before);
        let length = item_length(after);
        product.extend(after[..length].chars().filter(|c| *c == '\n'));
        rest = &after[length..];
    }
    product.push_str(rest);
    product
}

/// Returns where the item at the start of `code` ends: at its `;`, or at the brace that closes it.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(c, ';' | '}') {
            return at + 1;
        }
    }
    code.len()
}

mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_blank_and_lines_stay() {
        let source = "let a = \"http::x \\\" y\"; // http::\n/* http::\n/* */ */ let b = 'x';\n";
        let code = without_texts(source);
        assert!(!code.contains("http"), "{code}");
        assert_eq!(code.lines().count(), source.lines().count());
        assert!(
            code.contains("let a =") && code.contains("let b ="),
            "{code}"
        );
    }

    #[test]
    fn raw_texts_and_escaped_quotes_end_where_they_end() {
        let code =
            without_texts(r##"f(r#"a "quoted" one"#, '\'', b'"', '\u{1F600}', "x"); http::Y"##);
        assert!(!code.contains("quoted"), "{code}");
        assert!(code.ends_with("http::Y"), "{code}");
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        let code = without_texts("fn f<'a>(x: &'a str) -> &'a str { http::Y }");
        assert_eq!(code, "fn f<'a>(x: &'a str) -> &'a str { http::Y }");
    }

    #[test]
    fn items_under_cfg_test_are_blank_and_what_follows_is_not() {
        let code = product(
            "use a;\n#[cfg(test)]\nmod tests {\n fn f() { bad() }\n}\n#[cfg(test)]\nuse bad;\nfn good() {}\n",
        );
        assert!(!code.contains("bad"), "{code}");
        assert!(code.contains("fn good() {}"), "{code}");
        assert_eq!(code.lines().position(|line| line.contains("good")), Some(7));
    }
}
