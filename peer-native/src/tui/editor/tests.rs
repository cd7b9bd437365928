use super::*;

fn with(text: &str) -> Editor {
    let mut editor = Editor::default();
    editor.insert(text);
    editor
}

#[test]
fn what_people_see_as_one_character_is_one_step_and_one_deletion() {
    let mut editor = with("a👩‍👩‍👧e\u{301}");
    editor.left();
    editor.backspace();
    assert_eq!(editor.text(), "ae\u{301}");
    editor.right();
    editor.backspace();
    assert_eq!(editor.text(), "a");
}

#[test]
fn words_and_lines_are_deleted_as_in_a_shell() {
    let mut editor = with("one two three\nfour five");
    editor.delete_word();
    assert_eq!(editor.text(), "one two three\nfour ");
    editor.delete_to_start();
    assert!(editor.up());
    editor.word_right();
    editor.delete_to_end();
    assert_eq!(editor.text(), "one\n");
    assert!(editor.down());
    assert!(!editor.down());
}

#[test]
fn control_characters_are_not_taken() {
    assert_eq!(with("a\u{1b}[31m\0b\r\nc\rd").text(), "a[31mb\nc\nd");
}

#[test]
fn the_cursor_is_where_the_next_letter_will_stand() {
    let laid = with("日本語").lay_out(4, false);
    assert_eq!(laid.rows, ["日本", "語"]);
    assert_eq!((laid.cursor_row, laid.cursor_column), (1, 2));
    let laid = with("abcd").lay_out(4, false);
    assert_eq!((laid.cursor_row, laid.cursor_column), (1, 0));
    let laid = with("pass").lay_out(10, true);
    assert_eq!(laid.rows, ["••••"]);
    let mut editor = with("ab\ncd");
    editor.up();
    editor.home();
    let laid = editor.lay_out(10, false);
    assert_eq!((laid.cursor_row, laid.cursor_column), (0, 0));
}
