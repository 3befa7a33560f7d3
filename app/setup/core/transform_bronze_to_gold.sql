-- Bronze to gold: one transaction that appends the orders of the bronze batches gold has not taken yet, and adds them to the customers'
-- statistics. Everything after the first insert reads what that insert wrote, so that lines and customers always add up to sales.
-- Returns, touches and shipments each remember their own newest batch: a version that brings a new one fills it up by itself. What is summed
-- up of them (products, revenue and marketing by day) remembers its own as well, and is filled anew by each version.
-- Where batches bring an order twice, the first batch wins, so that one run over all batches gives what a run per batch gave.

create or replace procedure core.transform_bronze_to_gold()
returns varchar
language sql
comment = 'Moves what waits in the stream to bronze, and the new batches of bronze to gold, once'
execute as owner
as
$$
declare
    run_id varchar default uuid_string();
    started_at timestamp_ntz default sysdate();
    moved varchar;
    waiting number;
    taken number;
    taken_returns number;
    taken_touches number;
    taken_shipments number;
    summed number;
    newest number;
    first_order number;
    last_order number;
    first_return number;
    last_return number;
    first_touch number;
    last_touch number;
    first_returned number;
    last_returned number;
    first_movement number;
    last_movement number;
    sales number;
    sale_lines number;
    profiles number;
    customers number;
    returned number;
    touches number;
    engaged number;
    shipments number;
    stock_movements number;
    products number;
    revenues number;
    marketing number;
    reason varchar;
begin
    call core.transform_raw_to_bronze() into :moved;

    select
        max(iff(layer = 'BRONZE', last_batch, 0))
        - least(min(iff(layer = 'BRONZE', null, last_batch)), coalesce(max(iff(layer = 'GOLD', summed_batch, null)), 0))
    into :waiting
    from pipeline.progress;
    if (waiting = 0) then
        return moved || ' Nothing waits for gold.';
    end if;

    insert into reference_data.data_generation_audit (run_id, run_timestamp, run_type, status)
    select :run_id, :started_at, 'GOLD', 'RUNNING';

    begin
        begin transaction;

        -- Holds the layer: a second transformation waits here until this one ends.
        update pipeline.progress set changed_at = :started_at where layer = 'GOLD';

        select
            max(iff(layer = 'BRONZE', last_batch, 0)),
            max(iff(layer = 'GOLD', last_batch, 0)),
            max(iff(layer = 'RETURNS', last_batch, 0)),
            max(iff(layer = 'TOUCHES', last_batch, 0)),
            max(iff(layer = 'SHIPMENTS', last_batch, 0)),
            iff(min(iff(layer = 'BRONZE', null, last_batch)) = 0, 0, coalesce(max(iff(layer = 'GOLD', summed_batch, null)), 0))
        into :newest, :taken, :taken_returns, :taken_touches, :taken_shipments, :summed
        from pipeline.progress;

        -- Gold that stands before the first batch is filled from nothing: that is all core.rebuild_gold has to ask for.
        if (taken = 0) then
            delete from gold.fct_sales;
            delete from gold.fct_sale_lines;
            delete from gold.customer_profiles;
            delete from gold.customer_statistics;
        end if;
        if (taken_returns = 0) then
            delete from gold.fct_returns;
        end if;
        if (taken_touches = 0) then
            delete from gold.fct_marketing_touches;
            delete from gold.customer_engagement;
        end if;
        if (taken_shipments = 0) then
            delete from gold.fct_shipments;
            delete from gold.fct_stock_movements;
        end if;
        if (summed = 0) then
            delete from gold.dim_products;
            delete from gold.daily_revenue;
            delete from gold.daily_marketing;
        end if;

        -- Keys grow with time, so that looking for duplicates between the first and the last prunes instead of scanning history.
        select
            orders.first_key, orders.last_key,
            returned.first_key, returned.last_key, returned.first_order, returned.last_order,
            touches.first_key, touches.last_key,
            movements.first_key, movements.last_key
        into
            :first_order, :last_order,
            :first_return, :last_return, :first_returned, :last_returned,
            :first_touch, :last_touch,
            :first_movement, :last_movement
        from (
            select coalesce(min(order_id), 0) as first_key, coalesce(max(order_id), 0) as last_key
            from bronze.stg_purchases
            where batch_number > least(:taken, :summed) and batch_number <= :newest
        ) as orders
        cross join (
            select
                coalesce(min(return_id), 0) as first_key, coalesce(max(return_id), 0) as last_key,
                coalesce(min(order_id), 0) as first_order, coalesce(max(order_id), 0) as last_order
            from bronze.stg_returns
            where batch_number > least(:taken_returns, :summed) and batch_number <= :newest
        ) as returned
        cross join (
            select coalesce(min(touch_id), 0) as first_key, coalesce(max(touch_id), 0) as last_key
            from bronze.stg_marketing_touches
            where batch_number > :taken_touches and batch_number <= :newest
        ) as touches
        cross join (
            select coalesce(min(movement_id), 0) as first_key, coalesce(max(movement_id), 0) as last_key
            from bronze.stg_supply_chain
            where batch_number > :summed and batch_number <= :newest and order_id is null
        ) as movements;

        insert into gold.fct_sales (
            order_id, event_id, customer_id, customer_segment, ordered_at, order_date, sales_channel, device, payment_method,
            shipping_method, warehouse_id, ship_state, is_repeat_customer, currency, line_count, item_count, subtotal,
            discount_total, tax_total, shipping_total, final_total, cost_total, margin, batch_number, loaded_at
        )
        with

        orders as (
            select *
            from bronze.stg_purchases
            where batch_number > :taken and batch_number <= :newest
            qualify row_number() over (partition by order_id order by batch_number, event_id) = 1
        ),

        lines as (
            select event_id, sum(quantity) as item_count, sum(quantity * unit_cost) as cost_total
            from bronze.stg_purchase_lines
            where batch_number > :taken and batch_number <= :newest
            group by event_id
        )

        select
            orders.order_id, orders.event_id, orders.customer_id, orders.customer_segment, orders.ordered_at, orders.ordered_at::date,
            orders.sales_channel, orders.device, orders.payment_method, orders.shipping_method, orders.warehouse_id, orders.ship_state,
            orders.is_repeat_customer, orders.currency, orders.line_count, lines.item_count, orders.subtotal, orders.discount_total,
            orders.tax_total, orders.shipping_total, orders.final_total, lines.cost_total,
            orders.subtotal - orders.discount_total - lines.cost_total, orders.batch_number, :started_at
        from orders
        inner join lines
            on orders.event_id = lines.event_id
        where
            not exists (
                select 1 from gold.fct_sales as known
                where known.order_id = orders.order_id and known.order_id between :first_order and :last_order
            );
        sales := sqlrowcount;

        insert into gold.fct_sale_lines (
            order_id, line_number, customer_id, ordered_at, order_date, product_id, product_name, category_name, subcategory, brand,
            quantity, unit_price, unit_cost, discount_amount, line_total, margin, batch_number
        )
        with

        new_sales as (
            select * from gold.fct_sales
            where batch_number > :taken and batch_number <= :newest
        ),

        lines as (
            select * from bronze.stg_purchase_lines
            where batch_number > :taken and batch_number <= :newest
        )

        select
            lines.order_id, lines.line_number, new_sales.customer_id, new_sales.ordered_at, new_sales.order_date,
            lines.product_id, lines.product_name, lines.category_name, lines.subcategory, lines.brand,
            lines.quantity, lines.unit_price, lines.unit_cost, lines.discount_amount, lines.line_total,
            lines.line_total - lines.quantity * lines.unit_cost, lines.batch_number
        from lines
        inner join new_sales
            on lines.event_id = new_sales.event_id;
        sale_lines := sqlrowcount;

        merge into gold.customer_profiles as profile
        using (
            select *
            from bronze.stg_customers
            where batch_number > :taken and batch_number <= :newest
            qualify row_number() over (partition by customer_id order by event_id desc) = 1
        ) as told
            on profile.customer_id = told.customer_id
        when matched and told.event_id > profile.event_id then
            update set
                event_id = told.event_id,
                first_name = told.first_name,
                last_name = told.last_name,
                email = told.email,
                gender = told.gender,
                age = told.age,
                income = told.income,
                city = told.city,
                state = told.state,
                zip_code = told.zip_code,
                time_zone = told.time_zone,
                customer_segment = told.customer_segment,
                price_sensitivity = told.price_sensitivity,
                favourite_category = told.favourite_category,
                preferred_channel = told.preferred_channel,
                acquisition_channel = told.acquisition_channel,
                signed_up_at = told.signed_up_at
        when not matched then
            insert (
                customer_id, event_id, first_name, last_name, email, gender, age, income, city, state, zip_code, time_zone,
                customer_segment, price_sensitivity, favourite_category, preferred_channel, acquisition_channel, signed_up_at
            )
            values (
                told.customer_id, told.event_id, told.first_name, told.last_name, told.email, told.gender, told.age, told.income,
                told.city, told.state, told.zip_code, told.time_zone, told.customer_segment, told.price_sensitivity,
                told.favourite_category, told.preferred_channel, told.acquisition_channel, told.signed_up_at
            );
        profiles := sqlrowcount;

        merge into gold.customer_statistics as statistic
        using (
            select
                customer_id,
                sum(orders) as orders,
                sum(items) as items,
                sum(spent) as spent,
                sum(discount) as discount,
                sum(margin) as margin,
                min(ordered_at) as first_order_at,
                max(ordered_at) as last_order_at
            from (
                select
                    customer_id, 1 as orders, item_count as items, final_total as spent, discount_total as discount, margin, ordered_at
                from gold.fct_sales
                where batch_number > :taken and batch_number <= :newest
                union all
                -- who signed up has a row from then on, with nothing in it
                select customer_id, 0, 0, 0, 0, 0, null
                from bronze.stg_customers
                where batch_number > :taken and batch_number <= :newest
            )
            group by customer_id
        ) as batch
            on statistic.customer_id = batch.customer_id
        when matched and batch.orders > 0 then
            update set
                total_orders = statistic.total_orders + batch.orders,
                total_items = statistic.total_items + batch.items,
                total_spent = statistic.total_spent + batch.spent,
                total_discount = statistic.total_discount + batch.discount,
                total_margin = statistic.total_margin + batch.margin,
                first_order_at = least(coalesce(statistic.first_order_at, batch.first_order_at), batch.first_order_at),
                last_order_at = greatest(coalesce(statistic.last_order_at, batch.last_order_at), batch.last_order_at),
                changed_at = :started_at
        when not matched then
            insert (
                customer_id, total_orders, total_items, total_spent, total_discount, total_margin,
                first_order_at, last_order_at, changed_at
            )
            values (
                batch.customer_id, batch.orders, batch.items, batch.spent, batch.discount, batch.margin,
                batch.first_order_at, batch.last_order_at, :started_at
            );
        customers := sqlrowcount;

        insert into gold.fct_returns (
            return_id, event_id, order_id, line_number, customer_id, product_id, category_name, quantity, refund_total, reason,
            returned_at, return_date, batch_number, loaded_at
        )
        select
            told.return_id, told.event_id, told.order_id, told.line_number, told.customer_id, told.product_id, told.category_name,
            told.quantity, told.refund_total, told.reason, told.returned_at, told.returned_at::date, told.batch_number, :started_at
        from (
            select *
            from bronze.stg_returns
            where batch_number > :taken_returns and batch_number <= :newest
            qualify row_number() over (partition by return_id order by batch_number, event_id) = 1
        ) as told
        where
            not exists (
                select 1 from gold.fct_returns as known
                where known.return_id = told.return_id and known.return_id between :first_return and :last_return
            );
        returned := sqlrowcount;

        insert into gold.fct_marketing_touches (
            touch_id, event_id, customer_id, channel_name, campaign_name, touch_type, cost, occurred_at, touch_date,
            batch_number, loaded_at
        )
        select
            told.touch_id, told.event_id, told.customer_id, told.channel_name, told.campaign_name, told.touch_type, told.cost,
            told.occurred_at, told.occurred_at::date, told.batch_number, :started_at
        from (
            select *
            from bronze.stg_marketing_touches
            where batch_number > :taken_touches and batch_number <= :newest
            qualify row_number() over (partition by touch_id order by batch_number, event_id) = 1
        ) as told
        where
            not exists (
                select 1 from gold.fct_marketing_touches as known
                where known.touch_id = told.touch_id and known.touch_id between :first_touch and :last_touch
            );
        touches := sqlrowcount;

        merge into gold.customer_engagement as engagement
        using (
            select
                customer_id,
                channel_name,
                count(iff(touch_type = 'impression', 1, null)) as impressions,
                count(iff(touch_type = 'click', 1, null)) as clicks,
                count(iff(touch_type = 'conversion', 1, null)) as conversions,
                sum(cost) as cost,
                min(occurred_at) as first_touch_at,
                max(occurred_at) as last_touch_at
            from gold.fct_marketing_touches
            where batch_number > :taken_touches and batch_number <= :newest and customer_id is not null
            group by customer_id, channel_name
        ) as batch
            on engagement.customer_id = batch.customer_id and engagement.channel_name = batch.channel_name
        when matched then
            update set
                impressions = engagement.impressions + batch.impressions,
                clicks = engagement.clicks + batch.clicks,
                conversions = engagement.conversions + batch.conversions,
                cost = engagement.cost + batch.cost,
                first_touch_at = least(engagement.first_touch_at, batch.first_touch_at),
                last_touch_at = greatest(engagement.last_touch_at, batch.last_touch_at),
                changed_at = :started_at
        when not matched then
            insert (
                customer_id, channel_name, impressions, clicks, conversions, cost, first_touch_at, last_touch_at, changed_at
            )
            values (
                batch.customer_id, batch.channel_name, batch.impressions, batch.clicks, batch.conversions, batch.cost,
                batch.first_touch_at, batch.last_touch_at, :started_at
            );
        engaged := sqlrowcount;

        merge into gold.fct_shipments as shipment
        using (
            select
                order_id,
                min(warehouse_id) as warehouse_id,
                max(quantity) as quantity,
                min(iff(movement_type = 'pick', occurred_at, null)) as picked_at,
                min(iff(movement_type = 'ship', occurred_at, null)) as shipped_at,
                min(iff(movement_type = 'deliver', occurred_at, null)) as delivered_at,
                max(coalesce(delay_days, 0)) as delay_days,
                min(iff(movement_type = 'delay', reason, null)) as delay_reason,
                max(batch_number) as batch_number
            from bronze.stg_supply_chain
            where batch_number > :taken_shipments and batch_number <= :newest and order_id is not null
            group by order_id
        ) as batch
            on shipment.order_id = batch.order_id
        when matched then
            update set
                warehouse_id = least(coalesce(shipment.warehouse_id, batch.warehouse_id), coalesce(batch.warehouse_id, shipment.warehouse_id)),
                quantity = greatest(coalesce(shipment.quantity, batch.quantity), coalesce(batch.quantity, shipment.quantity)),
                picked_at = least(coalesce(shipment.picked_at, batch.picked_at), coalesce(batch.picked_at, shipment.picked_at)),
                shipped_at = least(coalesce(shipment.shipped_at, batch.shipped_at), coalesce(batch.shipped_at, shipment.shipped_at)),
                delivered_at = least(coalesce(shipment.delivered_at, batch.delivered_at), coalesce(batch.delivered_at, shipment.delivered_at)),
                delay_days = greatest(shipment.delay_days, batch.delay_days),
                delay_reason = least(coalesce(shipment.delay_reason, batch.delay_reason), coalesce(batch.delay_reason, shipment.delay_reason)),
                batch_number = batch.batch_number,
                changed_at = :started_at
        when not matched then
            insert (
                order_id, warehouse_id, quantity, picked_at, shipped_at, delivered_at, delay_days, delay_reason,
                batch_number, changed_at
            )
            values (
                batch.order_id, batch.warehouse_id, batch.quantity, batch.picked_at, batch.shipped_at, batch.delivered_at,
                batch.delay_days, batch.delay_reason, batch.batch_number, :started_at
            );
        shipments := sqlrowcount;

        insert into gold.fct_stock_movements (
            movement_id, event_id, movement_type, warehouse_id, category_name, quantity, reason, occurred_at, movement_date,
            batch_number, loaded_at
        )
        -- What is there already stays where summaries are filled anew: bronze may have let go of it.
        select
            told.movement_id, told.event_id, told.movement_type, told.warehouse_id, told.category_name, told.quantity, told.reason,
            told.occurred_at, told.occurred_at::date, told.batch_number, :started_at
        from (
            select *
            from bronze.stg_supply_chain
            where batch_number > :summed and batch_number <= :newest and order_id is null
            qualify row_number() over (partition by movement_id order by batch_number, event_id) = 1
        ) as told
        where
            not exists (
                select 1 from gold.fct_stock_movements as known
                where known.movement_id = told.movement_id and known.movement_id between :first_movement and :last_movement
            );
        stock_movements := sqlrowcount;

        merge into gold.dim_products as product
        using (
            with

            lines as (
                select * from gold.fct_sale_lines
                where batch_number > :summed and batch_number <= :newest
            ),

            changes as (
                select
                    product_id,
                    min(first_sold_at) as first_sold_at,
                    max(last_sold_at) as last_sold_at,
                    sum(line_count) as line_count,
                    sum(items) as items,
                    sum(gross_revenue) as gross_revenue,
                    sum(discount_total) as discount_total,
                    sum(net_revenue) as net_revenue,
                    sum(cost_total) as cost_total,
                    sum(margin) as margin,
                    sum(return_count) as return_count,
                    sum(returned_items) as returned_items,
                    sum(refund_total) as refund_total
                from (
                    select
                        product_id,
                        min(ordered_at) as first_sold_at,
                        max(ordered_at) as last_sold_at,
                        count(*) as line_count,
                        sum(quantity) as items,
                        sum(quantity * unit_price) as gross_revenue,
                        sum(discount_amount) as discount_total,
                        sum(line_total) as net_revenue,
                        sum(quantity * unit_cost) as cost_total,
                        sum(margin) as margin,
                        0 as return_count,
                        0 as returned_items,
                        0 as refund_total
                    from lines
                    group by product_id
                    union all
                    select product_id, null, null, 0, 0, 0, 0, 0, 0, 0, count(*), sum(quantity), sum(refund_total)
                    from gold.fct_returns
                    where batch_number > :summed and batch_number <= :newest and product_id is not null
                    group by product_id
                )
                group by product_id
            ),

            newest_lines as (
                select
                    lines.product_id, lines.product_name, lines.category_name, lines.subcategory, lines.brand,
                    lines.unit_price, lines.unit_cost, lines.order_id
                from lines
                inner join changes
                    on lines.product_id = changes.product_id and lines.ordered_at = changes.last_sold_at
                qualify row_number() over (partition by lines.product_id order by lines.order_id desc, lines.line_number desc) = 1
            )

            select
                changes.*,
                newest_lines.* exclude (product_id)
            from changes
            left join newest_lines
                on changes.product_id = newest_lines.product_id
        ) as batch
            on product.product_id = batch.product_id
        -- the newest line names and prices the product
        when matched and (
            product.last_sold_at is null
            or batch.last_sold_at > product.last_sold_at
            or (batch.last_sold_at = product.last_sold_at and batch.order_id > product.last_order_id)
        ) then
            update set
                product_name = batch.product_name,
                category_name = batch.category_name,
                subcategory = batch.subcategory,
                brand = batch.brand,
                current_price = batch.unit_price,
                current_cost = batch.unit_cost,
                first_sold_at = least(coalesce(product.first_sold_at, batch.first_sold_at), batch.first_sold_at),
                last_sold_at = batch.last_sold_at,
                last_order_id = batch.order_id,
                line_count = product.line_count + batch.line_count,
                items = product.items + batch.items,
                gross_revenue = product.gross_revenue + batch.gross_revenue,
                discount_total = product.discount_total + batch.discount_total,
                net_revenue = product.net_revenue + batch.net_revenue,
                cost_total = product.cost_total + batch.cost_total,
                margin = product.margin + batch.margin,
                return_count = product.return_count + batch.return_count,
                returned_items = product.returned_items + batch.returned_items,
                refund_total = product.refund_total + batch.refund_total,
                changed_at = :started_at
        when matched then
            update set
                first_sold_at = least(product.first_sold_at, coalesce(batch.first_sold_at, product.first_sold_at)),
                line_count = product.line_count + batch.line_count,
                items = product.items + batch.items,
                gross_revenue = product.gross_revenue + batch.gross_revenue,
                discount_total = product.discount_total + batch.discount_total,
                net_revenue = product.net_revenue + batch.net_revenue,
                cost_total = product.cost_total + batch.cost_total,
                margin = product.margin + batch.margin,
                return_count = product.return_count + batch.return_count,
                returned_items = product.returned_items + batch.returned_items,
                refund_total = product.refund_total + batch.refund_total,
                changed_at = :started_at
        when not matched then
            insert (
                product_id, product_name, category_name, subcategory, brand, current_price, current_cost,
                first_sold_at, last_sold_at, last_order_id, line_count, items,
                gross_revenue, discount_total, net_revenue, cost_total, margin,
                return_count, returned_items, refund_total, changed_at
            )
            values (
                batch.product_id, batch.product_name, batch.category_name, batch.subcategory, batch.brand, batch.unit_price, batch.unit_cost,
                batch.first_sold_at, batch.last_sold_at, batch.order_id, batch.line_count, batch.items,
                batch.gross_revenue, batch.discount_total, batch.net_revenue, batch.cost_total, batch.margin,
                batch.return_count, batch.returned_items, batch.refund_total, :started_at
            );
        products := sqlrowcount;

        merge into gold.daily_revenue as revenue
        using (
            with

            sales as (
                select * from gold.fct_sales
                where batch_number > :summed and batch_number <= :newest
            ),

            lines as (
                select
                    sales.order_date, sales.customer_segment, sales.sales_channel, sales.is_repeat_customer, sales.tax_total,
                    sales.shipping_total, sales.subtotal - sales.discount_total as goods_total,
                    lines.category_name, lines.quantity, lines.unit_price, lines.unit_cost, lines.discount_amount, lines.line_total,
                    row_number() over (partition by lines.order_id order by lines.line_number) = 1 as is_first,
                    sum(lines.line_total) over (
                        partition by lines.order_id order by lines.line_number rows between unbounded preceding and current row
                    ) as goods_so_far
                from gold.fct_sale_lines as lines
                inner join sales
                    on lines.order_id = sales.order_id
                where lines.batch_number > :summed and lines.batch_number <= :newest
            ),

            -- differences of a rounded running share add up to the whole
            spread as (
                select
                    lines.*,
                    case
                        when goods_total = 0 then iff(is_first, tax_total, 0)
                        else
                            round(tax_total * goods_so_far / goods_total, 2)
                            - round(tax_total * (goods_so_far - line_total) / goods_total, 2)
                    end as tax,
                    case
                        when goods_total = 0 then iff(is_first, shipping_total, 0)
                        else
                            round(shipping_total * goods_so_far / goods_total, 2)
                            - round(shipping_total * (goods_so_far - line_total) / goods_total, 2)
                    end as shipping
                from lines
            ),

            returned as (
                select return_date, customer_segment, sales_channel, category_name, 1 as times, quantity, refund_total, recovered_cost
                from gold.returned_goods
                where batch_number > :summed and batch_number <= :newest and order_id between :first_returned and :last_returned
                union all
                -- what came back before its order arrived moves from 'unknown' to its place
                select
                    goods.return_date,
                    iff(sign.times = 1, goods.customer_segment, 'unknown'),
                    iff(sign.times = 1, goods.sales_channel, 'unknown'),
                    goods.category_name, sign.times, sign.times * goods.quantity, sign.times * goods.refund_total,
                    iff(sign.times = 1, goods.recovered_cost, 0)
                from gold.returned_goods as goods
                cross join (select column1 as times from values (1), (-1)) as sign
                where
                    goods.batch_number <= :summed
                    and goods.order_batch_number > :summed
                    and goods.order_batch_number <= :newest
                    and goods.order_id between :first_order and :last_order
            )

            select
                revenue_date,
                coalesce(customer_segment, 'unknown') as customer_segment,
                coalesce(sales_channel, 'unknown') as sales_channel,
                coalesce(category_name, 'unknown') as category_name,
                sum(orders) as orders,
                sum(first_orders) as first_orders,
                sum(line_count) as line_count,
                sum(items) as items,
                sum(gross_revenue) as gross_revenue,
                sum(discount_total) as discount_total,
                sum(net_revenue) as net_revenue,
                sum(tax_total) as tax_total,
                sum(shipping_total) as shipping_total,
                sum(cost_total) as cost_total,
                sum(return_count) as return_count,
                sum(returned_items) as returned_items,
                sum(refund_total) as refund_total,
                sum(recovered_cost) as recovered_cost
            from (
                select
                    order_date as revenue_date,
                    customer_segment,
                    sales_channel,
                    category_name,
                    count(iff(is_first, 1, null)) as orders,
                    count(iff(is_first and not is_repeat_customer, 1, null)) as first_orders,
                    count(*) as line_count,
                    sum(quantity) as items,
                    sum(quantity * unit_price) as gross_revenue,
                    sum(discount_amount) as discount_total,
                    sum(line_total) as net_revenue,
                    sum(tax) as tax_total,
                    sum(shipping) as shipping_total,
                    sum(quantity * unit_cost) as cost_total,
                    0 as return_count,
                    0 as returned_items,
                    0 as refund_total,
                    0 as recovered_cost
                from spread
                group by 1, 2, 3, 4
                union all
                select
                    return_date, customer_segment, sales_channel, category_name, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                    sum(times), sum(quantity), sum(refund_total), sum(recovered_cost)
                from returned
                group by 1, 2, 3, 4
            )
            group by 1, 2, 3, 4
        ) as batch
            on
                revenue.revenue_date = batch.revenue_date
                and revenue.customer_segment = batch.customer_segment
                and revenue.sales_channel = batch.sales_channel
                and revenue.category_name = batch.category_name
        when matched and revenue.line_count + batch.line_count = 0 and revenue.return_count + batch.return_count = 0 then
            delete
        when matched then
            update set
                orders = revenue.orders + batch.orders,
                first_orders = revenue.first_orders + batch.first_orders,
                line_count = revenue.line_count + batch.line_count,
                items = revenue.items + batch.items,
                gross_revenue = revenue.gross_revenue + batch.gross_revenue,
                discount_total = revenue.discount_total + batch.discount_total,
                net_revenue = revenue.net_revenue + batch.net_revenue,
                tax_total = revenue.tax_total + batch.tax_total,
                shipping_total = revenue.shipping_total + batch.shipping_total,
                cost_total = revenue.cost_total + batch.cost_total,
                margin = revenue.margin + batch.net_revenue - batch.cost_total,
                return_count = revenue.return_count + batch.return_count,
                returned_items = revenue.returned_items + batch.returned_items,
                refund_total = revenue.refund_total + batch.refund_total,
                recovered_cost = revenue.recovered_cost + batch.recovered_cost,
                changed_at = :started_at
        when not matched then
            insert (
                revenue_date, customer_segment, sales_channel, category_name, orders, first_orders, line_count, items,
                gross_revenue, discount_total, net_revenue, tax_total, shipping_total, cost_total, margin,
                return_count, returned_items, refund_total, recovered_cost, changed_at
            )
            values (
                batch.revenue_date, batch.customer_segment, batch.sales_channel, batch.category_name, batch.orders, batch.first_orders,
                batch.line_count, batch.items, batch.gross_revenue, batch.discount_total, batch.net_revenue, batch.tax_total,
                batch.shipping_total, batch.cost_total, batch.net_revenue - batch.cost_total,
                batch.return_count, batch.returned_items, batch.refund_total, batch.recovered_cost, :started_at
            );
        revenues := sqlrowcount;

        merge into gold.daily_marketing as marketing
        using (
            select
                touch_date,
                channel_name,
                coalesce(campaign_name, 'none') as campaign_name,
                count(*) as touches,
                count(iff(touch_type = 'impression', 1, null)) as impressions,
                count(iff(touch_type = 'click' and customer_id is not null, 1, null)) as customer_clicks,
                count(iff(touch_type = 'click' and customer_id is null, 1, null)) as prospect_clicks,
                count(iff(touch_type = 'conversion', 1, null)) as conversions,
                sum(cost) as spend
            from gold.fct_marketing_touches
            where batch_number > :summed and batch_number <= :newest
            group by 1, 2, 3
        ) as batch
            on
                marketing.touch_date = batch.touch_date
                and marketing.channel_name = batch.channel_name
                and marketing.campaign_name = batch.campaign_name
        when matched then
            update set
                touches = marketing.touches + batch.touches,
                impressions = marketing.impressions + batch.impressions,
                customer_clicks = marketing.customer_clicks + batch.customer_clicks,
                prospect_clicks = marketing.prospect_clicks + batch.prospect_clicks,
                conversions = marketing.conversions + batch.conversions,
                spend = marketing.spend + batch.spend,
                changed_at = :started_at
        when not matched then
            insert (
                touch_date, channel_name, campaign_name, touches, impressions, customer_clicks, prospect_clicks, conversions, spend,
                changed_at
            )
            values (
                batch.touch_date, batch.channel_name, batch.campaign_name, batch.touches, batch.impressions, batch.customer_clicks,
                batch.prospect_clicks, batch.conversions, batch.spend, :started_at
            );
        marketing := sqlrowcount;

        update pipeline.progress
        set last_batch = :newest, summed_batch = iff(layer = 'GOLD', :newest, null)
        where layer <> 'BRONZE';

        -- Whoever started before and holds the layer no more has died: its transaction is gone, its record is closed here.
        update reference_data.data_generation_audit
        set
            status = 'FAILED',
            error_message = 'The run ended without a word (its session was lost). Nothing of it was kept; a later run took its rows.'
        where run_type = 'GOLD' and status = 'RUNNING' and run_timestamp < :started_at and run_id <> :run_id;

        update reference_data.data_generation_audit
        set
            status = 'COMPLETED',
            error_message = null, -- one that started later may have taken it for dead
            generated_counts = object_construct(
                'batches', :newest - least(:taken, :taken_returns, :taken_touches, :taken_shipments, :summed),
                'fct_sales', :sales,
                'fct_sale_lines', :sale_lines,
                'customer_profiles', :profiles,
                'customer_statistics', :customers,
                'fct_returns', :returned,
                'fct_marketing_touches', :touches,
                'customer_engagement', :engaged,
                'fct_shipments', :shipments,
                'fct_stock_movements', :stock_movements,
                'dim_products', :products,
                'daily_revenue', :revenues,
                'daily_marketing', :marketing
            ),
            execution_seconds = datediff('millisecond', :started_at, sysdate()) / 1000
        where run_id = :run_id;

        commit;
    exception
        when other then
            reason := sqlerrm;
            rollback;
            update reference_data.data_generation_audit
            set
                status = 'FAILED',
                error_message = :reason,
                execution_seconds = datediff('millisecond', :started_at, sysdate()) / 1000
            where run_id = :run_id;
            raise;
    end;

    return moved || ' ' || sales || ' orders and ' || profiles || ' profiles reached gold.';
end;
$$;

grant usage on procedure core.transform_bronze_to_gold() to application role app_admin;
