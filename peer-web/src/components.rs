//! What is seen, one component a file.

pub mod avatar;
pub mod banner;
pub mod brand;
pub mod chat;
pub mod composer;
pub mod conversation;
pub mod countdown;
pub mod deliveries;
pub mod emoji;
pub mod field;
pub mod finder;
pub mod gate;
pub mod icon;
pub mod incoming;
pub mod live;
pub mod members;
pub mod menu;
pub mod message_row;
pub mod online;
pub mod people;
pub mod person_row;
pub mod rich_text;
pub mod sign_in;
pub mod switch;
pub mod talk_head;
pub mod title;
