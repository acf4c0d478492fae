//! A calendar day.

/// A calendar day (UTC where it comes from an instant): days since 1970-01-01, years 0001 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// 0001-01-01.
    pub const MIN: Self = Self(-719_162);
    /// 9999-12-31.
    pub const MAX: Self = Self(2_932_896);

    /// Days since 1970-01-01.
    pub fn number(self) -> i32 {
        self.0
    }
    /// The day of a number as [`number`](Self::number) gives it, if within the years 0001 to 9999.
    pub fn from_number(number: i32) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&number).then_some(Self(number))
    }
    /// Parses `YYYY-MM-DD`. `None` when it is not a day of the calendar.
    pub fn parse_iso(_text: &str) -> Option<Self> {
        todo!()
    }
    /// The day `year`-`month`-`day`.
    pub fn from_ymd(_year: i32, _month: u8, _day: u8) -> Option<Self> {
        todo!()
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
