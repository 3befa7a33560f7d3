-- What is sold. Exactly these five columns, in this order: consumers insert by position. All else stands in product_category_details.

create table if not exists reference_data.product_categories (
    category_name varchar not null comment 'The category; unique',
    seasonal_peak_months varchar not null comment 'Months of its peak season, a JSON array such as [11, 12]; [] for none',
    margin_rate number(9, 6) not null comment 'Margin as a share of the list price, 0 to 0.99',
    return_rate number(9, 6) not null comment 'Share of order lines that come back, 0 to 0.9',
    description varchar comment 'For readers'
)
comment = 'Categories of products: season, margin, returns. One row per category.';

-- Defaults are for the first installation: what a consumer deletes stays deleted.
insert into reference_data.product_categories (category_name, seasonal_peak_months, margin_rate, return_rate, description)
select column1, column2, column3, column4, column5
from values
    ('electronics', '[11, 12]', 0.25, 0.11, 'Phones, computers, audio and their accessories'),
    ('clothing', '[11, 12]', 0.55, 0.26, 'Clothes, shoes and accessories'),
    ('home_garden', '[4, 5, 6, 7]', 0.45, 0.14, 'Furniture, kitchen, garden'),
    ('sports_outdoors', '[8, 12]', 0.40, 0.12, 'Sport, camping, bicycles'),
    ('books_media', '[8, 12]', 0.35, 0.06, 'Books, music, games'),
    ('beauty_health', '[12]', 0.60, 0.08, 'Cosmetics, care, supplements')
where not exists (select 1 from reference_data.product_categories);

grant select, insert, update, delete on table reference_data.product_categories to application role app_admin;
grant select on table reference_data.product_categories to application role app_analyst;
