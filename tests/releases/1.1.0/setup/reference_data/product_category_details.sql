-- What else belongs to a category. A category without a row here sells general goods around 30 USD, with the season of all retail.

create table if not exists reference_data.product_category_details (
    category_name varchar not null comment 'The category: product_categories.category_name; unique',
    season_kind varchar not null
        comment 'The census curve of its months: all_retail, home, electronics, garden, food, clothing, hobby, general or beauty',
    popularity number(12, 6) not null comment 'Share of order lines over the year, relative to the others',
    typical_price number(12, 2) not null comment 'Median price of its products, USD',
    price_spread number(9, 6) not null comment 'Standard deviation of the logarithm of its prices, 0 to 2',
    subcategories varchar not null comment 'Names of its parts, a JSON array',
    description varchar comment 'For readers'
)
comment = 'Season, popularity, prices and parts of categories. One row per category that is not to have the defaults.';

-- Defaults are for the first installation: what a consumer deletes stays deleted.
insert into reference_data.product_category_details (category_name, season_kind, popularity, typical_price, price_spread, subcategories, description)
select column1, column2, column3, column4, column5, column6, column7
from (
    select *
    from values
        (
            'electronics', 'electronics', 0.20, 80.00, 1.0,
            '["headphones", "phone accessories", "laptops", "cameras", "smart home"]', 'Few cheap things and some dear ones'
        ),
        ('clothing', 'clothing', 0.27, 38.00, 0.6, '["shirts", "trousers", "dresses", "shoes", "jackets"]', 'A third of all lines before Christmas'),
        ('home_garden', 'garden', 0.18, 45.00, 0.8, '["kitchen", "bedding", "lighting", "garden tools", "plants"]', 'Busy from April to July'),
        ('sports_outdoors', 'hobby', 0.12, 40.00, 0.75, '["fitness", "camping", "cycling", "running"]', 'August and December'),
        ('books_media', 'hobby', 0.11, 16.00, 0.5, '["novels", "non-fiction", "music", "board games"]', 'August and December'),
        ('beauty_health', 'beauty', 0.12, 20.00, 0.6, '["skin care", "make-up", "hair care", "supplements"]', 'Even over the year')
    where column1 in (select category_name from reference_data.product_categories)
)
where not exists (select 1 from reference_data.product_category_details);

grant select, insert, update, delete on table reference_data.product_category_details to application role app_admin;
grant select on table reference_data.product_category_details to application role app_analyst;
