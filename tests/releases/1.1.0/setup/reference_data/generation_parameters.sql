-- Everything else that shapes the business. Each parameter must be there; what a value may be is told when a run refuses it.

create table if not exists reference_data.generation_parameters (
    parameter_name varchar not null comment 'The parameter; unique',
    parameter_value varchar not null comment 'Its value, as text',
    parameter_type varchar not null comment 'integer, number or json: how the text is read',
    description varchar comment 'What it does, with its unit'
)
comment = 'Settings of the generator. One row per parameter.';

merge into reference_data.generation_parameters
using (
    select column1 as parameter_name, column2 as parameter_value, column3 as parameter_type, column4 as description
    from values
        ('seed', '20260101', 'integer', 'What all random values derive from; another seed is another business'),
        ('first_run_days', '30', 'integer', 'Days of the past that the first run fills'),
        ('daily_customer_events', '240', 'number', 'Mean sign-ups per day in the natural course (counts left NULL)'),
        ('buys_at_sign_up_probability', '0.85', 'number', 'Share of sign-ups that order at once, in the natural course'),
        ('repeat_customer_probability', '0.7', 'number', 'Share of the orders asked for that go to existing customers'),
        ('yearly_growth', '0.1', 'number', 'Growth of sign-ups per year in the natural course, as a share of those on 2026-01-01'),
        ('rate_shape', '0.6', 'number', 'r of the Pareto/NBD law: small means few buy much and many little'),
        ('dropout_shape', '0.45', 'number', 's of the Pareto/NBD law: small means that who stays, stays long'),
        ('dropout_scale_weeks', '20', 'number', 'beta of the Pareto/NBD law, in business weeks: the time scale of dropping out'),
        ('order_value_shape', '3.3', 'number', 'p of the gamma-gamma law: large means that a customer''s orders are alike'),
        ('customer_value_shape', '11', 'number', 'q of the gamma-gamma law: large means that the customers of a segment are alike'),
        ('weekday_weights', '[0.96, 0.92, 0.93, 0.97, 1.06, 1.12, 1.04]', 'json', 'Business from Monday to Sunday, relative'),
        (
            'hour_weights',
            '[10, 6, 4, 3, 4, 8, 17, 30, 43, 53, 60, 64, 67, 62, 58, 55, 54, 57, 63, 72, 75, 66, 45, 24]',
            'json',
            'Business from hour 0 to 23 of the customer''s local time, relative'
        ),
        ('seasonal_lift', '0.25', 'number', 'How much a category''s peak months stand out, as a share; those that its kind has in the census, too, keep the census height'),
        ('holiday_strength', '1', 'number', 'How much holidays move business: 0 not at all, 1 as in a usual year'),
        ('sales_channel_weights', '[0.45, 0.27, 0.23, 0.05]', 'json', 'Orders through web, app, store and phone, relative'),
        ('preferred_channel_probability', '0.6', 'number', 'Share of orders through the customer''s preferred channel whatever the weights'),
        ('favourite_category_probability', '0.35', 'number', 'Share of order lines in the customer''s favourite category whatever the season'),
        ('products_per_category', '200', 'integer', 'Products in the catalogue of each category'),
        ('price_range_min', '1.99', 'number', 'No product is cheaper, USD'),
        ('price_range_max', '1999.99', 'number', 'No product is dearer, USD'),
        ('discount_probability', '0.3', 'number', 'Share of orders with a discount, for a customer of price sensitivity 0.5'),
        ('discount_max', '0.3', 'number', 'Deepest discount, as a share of the list price'),
        ('tax_rate', '0.076', 'number', 'Mean sales tax; each state''s own stands in this proportion'),
        ('shipping_cost_max', '9.99', 'number', 'Overnight shipping, USD; express costs half of it, standard a quarter'),
        ('free_shipping_threshold', '75', 'number', 'Standard shipping is free from this order value on, USD'),
        ('return_window_days', '30', 'integer', 'Days after delivery in which lines are returned'),
        ('impressions_per_order', '2', 'integer', 'Marketing impressions on a customer in the 30 days after each order'),
        ('delay_probability', '0.04', 'number', 'Share of days on which a warehouse with room to spare is in trouble and delays orders'),
        ('stock_out_probability', '0.004', 'number', 'Share of days on which a category runs out in a warehouse with room to spare'),
        ('events_per_shard', '20000', 'integer', 'Size of the parts that are generated side by side; changes no value')
) as defaults
    on generation_parameters.parameter_name = defaults.parameter_name
when not matched then
    insert (parameter_name, parameter_value, parameter_type, description)
    values (defaults.parameter_name, defaults.parameter_value, defaults.parameter_type, defaults.description);

grant select, insert, update, delete on table reference_data.generation_parameters to application role app_admin;
grant select on table reference_data.generation_parameters to application role app_analyst;
