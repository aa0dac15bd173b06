//! The roof: the table of rooms, the house that serves them, and the command line.
//!
//! A library beside the binary, so that tests open whole houses. Only here do all rooms meet, and only here are the
//! ports plugged that rooms declare.
//! Never here: a rule of a room, SQL beyond the roof's own table of idempotency keys.

pub mod cli;
pub mod commands;
pub mod door;
pub mod error;
pub mod figures;
pub mod home;
pub mod idempotency;
pub mod online;
pub mod own;
pub mod partner;
pub mod plugs;
pub mod rooms;
pub mod serve;
pub mod settings;
pub mod tasks;
pub mod web;
