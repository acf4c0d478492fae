//! A calendar day.

/// A calendar day (UTC where it comes from an instant): days since 1970-01-01, years 0001 to 9999.
///
/// Serialised as text, `YYYY-MM-DD`.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Day(i32);

const SECONDS_PER_DAY: i64 = 86_400;
/// Days of 400 years, after which the Gregorian calendar repeats itself.
const DAYS_PER_ERA: i32 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i32 = 719_468;

impl Day {
    /// 0001-01-01.
    pub const MIN: Self = Self(-719_162);
    /// 9999-12-31.
    pub const MAX: Self = Self(2_932_896);

    /// Days since 1970-01-01.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The day of a number as [`number`](Self::number) gives it, if within the years 0001 to 9999.
    pub fn from_number(number: i32) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0)
            .contains(&number)
            .then_some(Self(number))
    }

    /// Parses `YYYY-MM-DD`, ten ASCII characters and nothing around them. `None` when it
    /// is not a day of the calendar.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
            return None;
        };
        let digits = [y1, y2, y3, y4, m1, m2, d1, d2].map(|byte| byte.wrapping_sub(b'0'));
        if digits.into_iter().fold(0, u8::max) > 9 {
            return None;
        }
        let [y1, y2, y3, y4, m1, m2, d1, d2] = digits.map(i32::from);
        let year = 1000 * y1 + 100 * y2 + 10 * y3 + y4;
        Self::civil(year, 10 * m1 + m2, 10 * d1 + d2)
    }

    /// The day `year`-`month`-`day`, month and day counted from 1. `None` when it is not
    /// a day of the calendar or not within the years 0001 to 9999.
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Option<Self> {
        Self::civil(year, month.into(), day.into())
    }

    /// Year, month and day, the latter two counted from 1.
    pub fn ymd(self) -> (i32, u8, u8) {
        // Each check writes a day or two, so the divisions are those of Neri and Schneider, "Euclidean affine functions
        // and their application to calendar algorithms" (2022), figure 12: multiplications, but for two.
        const DAYS_PER_FOUR_CENTURIES: u32 = DAYS_PER_ERA as u32;
        const YEAR_OF_DAY: u64 = 2_939_745;
        let days = (self.0 + DAYS_TO_EPOCH) as u32;
        let century = (4 * days + 3) / DAYS_PER_FOUR_CENTURIES;
        let day_of_century = (4 * days + 3) % DAYS_PER_FOUR_CENTURIES / 4;
        let product = YEAR_OF_DAY * u64::from(4 * day_of_century + 3);
        let year_of_century = (product >> 32) as u32;
        let day_of_year = product as u32 / YEAR_OF_DAY as u32 / 4;
        let month_and_day = 2_141 * day_of_year + 197_913;
        let (month_from_march, day) = (month_and_day >> 16, (month_and_day & 0xFFFF) / 2_141 + 1);
        // The year begins in March.
        let next_year = day_of_year >= 306;
        let month = if next_year {
            month_from_march - 12
        } else {
            month_from_march
        };
        let year = 100 * century + year_of_century + u32::from(next_year);
        (year as i32, month as u8, day as u8)
    }

    /// `YYYY-MM-DD`.
    pub fn to_iso(self) -> [u8; 10] {
        let (year, month, day) = self.ymd();
        let [century, year] = [year / 100, year % 100].map(|two| two as u8);
        let [[a, b], [c, d], [e, f], [g, h]] =
            [century, year, month, day].map(|two| [b'0' + two / 10, b'0' + two % 10]);
        [a, b, c, d, b'-', e, f, b'-', g, h]
    }

    /// The same day of the year `years` later: 28 February for 29 February where that
    /// year has none, and [`MAX`](Self::MAX) past the year 9999.
    pub fn plus_years(self, years: u16) -> Self {
        let (year, month, day) = self.ymd();
        let year = year + i32::from(years);
        Self::from_ymd(year, month, day)
            .or_else(|| Self::from_ymd(year, month, 28))
            .unwrap_or(Self::MAX)
    }

    /// Its first instant (UTC); `None` for a day beyond the instants that can be told.
    pub fn begins_at(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_second(i64::from(self.number()) * 86_400).ok()
    }

    /// The UTC day of an instant, cut to the years 0001 to 9999.
    pub fn from_timestamp(instant: jiff::Timestamp) -> Self {
        // `as_second` rounds towards zero, which is the wrong day just before midnight
        // in the years before 1970.
        let before = i64::from(instant.subsec_nanosecond() < 0);
        let days = (instant.as_second() - before).div_euclid(SECONDS_PER_DAY);
        Self(days.clamp(Self::MIN.0.into(), Self::MAX.0.into()) as i32)
    }

    /// Counts days with the year beginning in March, so that the leap day comes last.
    fn civil(year: i32, month: i32, day: i32) -> Option<Self> {
        let month = usize::try_from(month - 1).ok()?;
        let (before, longest) = *MONTHS.get(month)?;
        let exists = (1..=9999).contains(&year) && (1..=longest).contains(&day);
        if !exists || (month == FEBRUARY && day == 29 && !is_leap(year)) {
            return None;
        }
        let year_from_march = year - i32::from(month <= FEBRUARY);
        let days = 365 * year_from_march + year_from_march / 4 - year_from_march / 100
            + year_from_march / 400;
        Some(Self(days + before + day - 1 - DAYS_TO_EPOCH))
    }
}

const FEBRUARY: usize = 1;

/// For each month from January the days from 1 March to its first, and the most days that it has.
const MONTHS: [(i32, i32); 12] = [
    (306, 31),
    (337, 29),
    (0, 31),
    (31, 30),
    (61, 31),
    (92, 30),
    (122, 31),
    (153, 31),
    (184, 30),
    (214, 31),
    (245, 30),
    (275, 31),
];

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse_iso(&text).ok_or("expected a day of the calendar, YYYY-MM-DD")
    }
}

impl std::fmt::Display for Day {
    /// `YYYY-MM-DD`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let iso = self.to_iso();
        // Digits and hyphens only.
        f.pad(std::str::from_utf8(&iso).unwrap_or_default())
    }
}

impl std::fmt::Debug for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Day({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Day;
    use jiff::civil::Date;

    #[test]
    fn every_day_of_the_calendar_agrees_with_jiff() {
        let mut date = Date::constant(1, 1, 1);
        for number in Day::MIN.number()..=Day::MAX.number() {
            let day = Day::from_number(number).unwrap();
            let (year, month, of_month) = (date.year(), date.month(), date.day());
            assert_eq!(day.ymd(), (i32::from(year), month as u8, of_month as u8));
            assert_eq!(
                Day::from_ymd(year.into(), month as u8, of_month as u8),
                Some(day)
            );
            // Text is slower and the same code for every year.
            if number % 29 == 0 {
                assert_eq!(day.to_string(), date.to_string());
                assert_eq!(Day::parse_iso(&day.to_string()), Some(day));
            }
            match date.tomorrow() {
                Ok(tomorrow) => date = tomorrow,
                Err(_) => assert_eq!(day, Day::MAX),
            }
        }
        assert_eq!(date, Date::MAX);
        assert_eq!(Day::from_number(Day::MIN.number() - 1), None);
        assert_eq!(Day::from_number(Day::MAX.number() + 1), None);
    }

    #[test]
    fn no_other_text_is_a_day() {
        for text in [
            "",
            "2024-02-30",
            "2023-02-29",
            "1900-02-29",
            "2024-04-31",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "2024-01-32",
            "0000-01-01",
            "2024-1-01",
            "24-01-01",
            "2024/01/01",
            "2024-01-01T",
            " 2024-01-01",
            "2024-01-01 ",
            "+024-01-01",
            "-024-01-01",
            "2024-0a-01",
            "２０２４-01-01",
            "20240101",
        ] {
            assert_eq!(Day::parse_iso(text), None, "{text:?}");
        }
        assert_eq!(Day::parse_iso("2000-02-29"), Day::from_ymd(2000, 2, 29));
        assert_eq!(Day::parse_iso("1970-01-01").map(Day::number), Some(0));
        assert_eq!(Day::from_ymd(10_000, 1, 1), None);
        assert_eq!(Day::from_ymd(-4, 2, 29), None);
        assert_eq!(Day::from_ymd(2024, 255, 255), None);
    }

    #[test]
    fn years_later() {
        let check = |from: &str, years, to: &str| {
            assert_eq!(
                Day::parse_iso(from).unwrap().plus_years(years).to_string(),
                to
            );
        };
        check("2016-01-31", 10, "2026-01-31");
        check("2016-02-29", 10, "2026-02-28");
        check("2016-02-29", 4, "2020-02-29");
        check("9995-06-01", 10, "9999-12-31");
        check("9999-06-01", u16::MAX, "9999-12-31");
    }

    #[test]
    fn days_of_instants() {
        let check = |instant: &str, day: &str| {
            assert_eq!(
                Day::from_timestamp(instant.parse().unwrap()).to_string(),
                day
            );
        };
        check("2026-03-01T23:59:59.999999999Z", "2026-03-01");
        check("2026-03-02T00:00:00Z", "2026-03-02");
        check("2026-03-02T01:00:00+02:00", "2026-03-01");
        check("1970-01-01T00:00:00Z", "1970-01-01");
        check("1969-12-31T23:59:59.5Z", "1969-12-31");
        check("1969-12-31T00:00:00Z", "1969-12-31");
        check("1969-12-30T23:59:59.999999999Z", "1969-12-30");
        check("-000044-03-15T12:00:00Z", "0001-01-01");
    }
}
