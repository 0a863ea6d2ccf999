(* One input: PL0, the mean variation of f over all ordered pairs of the data, gap by gap (B6.c), and the least PL0 of
   all functions through the data (V14.c). *)

From Coq Require Import Reals Lra Lia List Sorted.
From ImplicitSmoothness Require Import Sums vectors segments pairs.
Import ListNotations.
Open Scope R_scope.

(** * The variation of f on [a, b] *)

Definition is_partition_of (a b : R) (ts : list R) : Prop := Sorted Rle ts /\ Forall (fun t => a <= t <= b) ts.
Definition changes (f : R -> R) (ts : list R) : R := variation_sum (fun t u => Rabs (f u - f t)) ts.

(* v = TV_[a,b](f) (volhejn2020, eq 1.9). *)
Definition is_variation_on (f : R -> R) (a b v : R) : Prop :=
  is_lub (fun s => exists ts, is_partition_of a b ts /\ s = changes f ts) v.

(* A list that is written out is a partition. *)
Ltac partition :=
  split; [repeat (apply Sorted_cons || apply Sorted_nil || apply HdRel_cons || apply HdRel_nil)
         |repeat (apply Forall_cons || apply Forall_nil)]; lra.

Lemma changes_cons f t u ts : changes f (t :: u :: ts) = Rabs (f u - f t) + changes f (u :: ts).
Proof. reflexivity. Qed.

Lemma changes_app f ts us : changes f ts + changes f us <= changes f (ts ++ us).
Proof.
  induction ts as [|t [|u ts] IH].
  - unfold changes, variation_sum; simpl; lra.
  - destruct us as [|v us]; [unfold changes, variation_sum; simpl; lra|].
    change ([t] ++ v :: us)%list with (t :: v :: us). rewrite changes_cons.
    assert (P := Rabs_pos (f v - f t)). unfold changes at 1, variation_sum at 1; simpl. lra.
  - change ((t :: u :: ts) ++ us)%list with (t :: u :: (ts ++ us))%list. rewrite !changes_cons.
    change (u :: (ts ++ us))%list with ((u :: ts) ++ us)%list. lra.
Qed.

Lemma partition_app a b c ts us : a <= b <= c -> is_partition_of a b ts -> is_partition_of b c us ->
  is_partition_of a c (ts ++ us).
Proof.
  intros L [S F] [S' F']; split.
  - induction ts as [|t ts IH]; auto. apply Sorted_inv in S as [S H]. inversion F as [|? ? Ft F1]; subst.
    simpl; constructor; auto. destruct ts as [|u ts]; simpl; [|inversion H; constructor; auto].
    destruct us as [|u us]; constructor. apply Forall_inv in F'. lra.
  - rewrite Forall_forall in F, F'. apply Forall_app; split; apply Forall_forall; intros t Ht.
    + specialize (F t Ht); lra.
    + specialize (F' t Ht); lra.
Qed.

(* A partition of [a, c] falls into one of [a, b] and one of [b, c], with b added. *)
Lemma partition_split f a b c t ts : a <= t <= b -> b <= c -> is_partition_of a c (t :: ts) ->
  exists us vs, is_partition_of a b (t :: us) /\ is_partition_of b c vs
    /\ changes f (t :: ts) <= changes f (t :: us) + changes f vs.
Proof.
  intros Ht L; revert t Ht; induction ts as [|u ts IH]; intros t Ht [S F].
  - exists [], []. split; [|split].
    + partition.
    + split; constructor.
    + unfold changes, variation_sum; simpl; lra.
  - apply Sorted_inv in S as [S H]; apply HdRel_inv in H. inversion F as [|? ? _ F1]; subst.
    assert (Fu := Forall_inv F1). destruct (Rle_dec u b) as [B|B].
    + destruct (IH u) as [us [vs [[S1 F2] [P2 C]]]]; [lra|split; auto|].
      exists (u :: us), vs. split; [|split; auto].
      * split; constructor; auto.
      * rewrite !changes_cons; lra.
    + exists [b], (b :: u :: ts). split; [|split; [split|]].
      * partition.
      * constructor; auto. constructor; lra.
      * constructor; [lra|]. assert (SS := Sorted_StronglySorted Rle_trans S).
        apply StronglySorted_inv in SS as [_ U]. constructor; [lra|].
        rewrite Forall_forall in *. intros v Hv. specialize (U v Hv).
        specialize (F1 v (or_intror Hv)). lra.
      * rewrite !changes_cons. change (changes f [b]) with 0.
        assert (T := Rabs_triang (f b - f t) (f u - f b)).
        replace (f b - f t + (f u - f b)) with (f u - f t) in T by ring. lra.
Qed.

Lemma variation_unique_on f a b v w : is_variation_on f a b v -> is_variation_on f a b w -> v = w.
Proof. intros [U L] [U' L']; apply Rle_antisym; auto. Qed.

(* Variation adds up along a segment. *)
Lemma variation_adds_up f a b c v w : a <= b <= c -> is_variation_on f a b v -> is_variation_on f b c w ->
  is_variation_on f a c (v + w).
Proof.
  intros L [U1 L1] [U2 L2]; split.
  - intros s [ts [P ->]].
    assert (C : exists us vs, is_partition_of a b us /\ is_partition_of b c vs
      /\ changes f ts <= changes f us + changes f vs).
    { destruct ts as [|t ts].
      - exists [], []. split; [|split];
          [split; constructor|split; constructor|unfold changes, variation_sum; simpl; lra].
      - assert (Ht := Forall_inv (proj2 P)). destruct (Rle_dec t b) as [B|B].
        + destruct (partition_split f a b c t ts) as [us [vs H]]; try lra; auto. exists (t :: us), vs; auto.
        + exists [], (t :: ts). split; [split; constructor|split; [split; [apply P|constructor; [lra|]]|]].
          * destruct P as [S F]. inversion F; subst. assert (SS := Sorted_StronglySorted Rle_trans S).
            apply StronglySorted_inv in SS as [_ U]. rewrite Forall_forall in *. intros x Hx.
            specialize (U x Hx). specialize (H2 x Hx). lra.
          * unfold changes at 2, variation_sum at 1; simpl; lra. }
    destruct C as [us [vs [Pu [Pv C]]]].
    assert (changes f us <= v) by (apply U1; eauto). assert (changes f vs <= w) by (apply U2; eauto). lra.
  - intros B HB. enough (w <= B - v) by lra. apply L2. intros s [vs [Pv ->]].
    enough (v <= B - changes f vs) by lra. apply L1. intros s [us [Pu ->]].
    enough (changes f (us ++ vs) <= B) by (assert (A := changes_app f us vs); lra).
    apply HB; exists (us ++ vs)%list; split; auto. eapply partition_app; eauto.
Qed.

Lemma variation_at_a_point f a : is_variation_on f a a 0.
Proof.
  split.
  - intros s [ts [[_ F] ->]]. apply Req_le. induction ts as [|t [|u ts] IH]; try reflexivity.
    inversion F as [|? ? Ft F1]; subst. assert (Fu := Forall_inv F1). rewrite changes_cons, IH by auto.
    replace u with t by lra. unfold Rminus; rewrite Rplus_opp_r, Rabs_R0; ring.
  - intros b B. apply B. exists []; split; [split; constructor|reflexivity].
Qed.

Lemma variation_on_at_least f a b v : a <= b -> is_variation_on f a b v -> Rabs (f b - f a) <= v.
Proof.
  intros L [U _]. replace (Rabs (f b - f a)) with (changes f [a; b]) by (unfold changes, variation_sum; simpl; lra).
  apply U; exists [a; b]; split; auto. partition.
Qed.

Definition monotone_on (f : R -> R) (a b : R) : Prop :=
  (forall t u, a <= t <= u -> u <= b -> f t <= f u) \/ (forall t u, a <= t <= u -> u <= b -> f u <= f t).

Lemma variation_of_rising_on f a b : a <= b -> (forall t u, a <= t <= u -> u <= b -> f t <= f u) ->
  is_variation_on f a b (f b - f a).
Proof.
  intros L H; split.
  - intros s [ts [P ->]].
    assert (G : forall t rest, is_partition_of a b (t :: rest) -> changes f (t :: rest) <= f b - f t).
    { clear ts P. intros t rest; revert t; induction rest as [|u rest IH]; intros t [S F]; assert (Ft := Forall_inv F).
      - unfold changes, variation_sum; simpl. assert (f t <= f b) by (apply H; lra). lra.
      - apply Sorted_inv in S as [S K]; apply HdRel_inv in K. inversion F as [|? ? _ F1]; subst.
        assert (Fu := Forall_inv F1). rewrite changes_cons. specialize (IH u (conj S F1)).
        assert (f t <= f u) by (apply H; lra). rewrite Rabs_right by lra. lra. }
    destruct ts as [|t rest].
    + unfold changes, variation_sum; simpl. assert (f a <= f b) by (apply H; lra). lra.
    + specialize (G t rest P). assert (Ft := Forall_inv (proj2 P)). assert (f a <= f t) by (apply H; lra). lra.
  - intros B HB. apply HB. exists [a; b]; split; [partition|].
    unfold changes, variation_sum; simpl. rewrite Rabs_right; [ring|]. assert (f a <= f b) by (apply H; lra). lra.
Qed.

Lemma variation_of_monotone_on f a b v : a <= b -> monotone_on f a b -> is_variation_on f a b v ->
  v = Rabs (f b - f a).
Proof.
  intros L [H|H] V; apply (variation_unique_on f a b); auto.
  - assert (f a <= f b) by (apply H; lra). rewrite Rabs_right by lra. apply variation_of_rising_on; auto.
  - assert (f b <= f a) by (apply H; lra). rewrite Rabs_left1 by lra.
    assert (R := variation_of_rising_on (fun t => - f t) a b L ltac:(intros; specialize (H t u); lra)).
    replace (- (f b - f a)) with (- f b - - f a) by ring.
    assert (same : forall ts, changes (fun t => - f t) ts = changes f ts).
    { intros ts; apply sum_eq; intros s _. rewrite Rabs_minus_sym. f_equal; ring. }
    destruct R as [U K]; split.
    + intros s [ts [P ->]]. rewrite <- same. apply U; eauto.
    + intros B HB; apply K. intros s [ts [P ->]]. rewrite same. apply HB; eauto.
Qed.

(** * Gap by gap *)

(* Inputs in order, x_1 <= .. <= x_n; V a b is the variation of f between a and b, in whichever order. *)
Definition gives_variations_on (V : R -> R -> R) (f : R -> R) (x : list R) : Prop :=
  forall a b, In a x -> In b x -> is_variation_on f (Rmin a b) (Rmax a b) (V a b).

(* sum_j h(x_j, x_{j+1}) 2 (j/n) (1 - j/n), j of the n points being left of the gap: F = j/n there. *)
Fixpoint over_gaps {A : Type} (h : A -> A -> R) (j n : nat) (x : list A) : R :=
  match x with
  | a :: ((b :: _) as rest) => h a b * (2 * (INR j / INR n) * (1 - INR j / INR n)) + over_gaps h (S j) n rest
  | _ => 0
  end.

(* 2 j (n - j) of the n^2 ordered pairs go over gap j. *)
Lemma pairs_over_gaps {A} (c : A -> R) n rest : forall j a, n = (j + length rest)%nat -> (0 < n)%nat ->
  over_gaps (fun a b => c b - c a) j n (a :: rest)
  = 2 / INR n ^ 2 * (INR j * sum (fun b => c b - c a) rest + over_pairs (fun a b => c b - c a) rest).
Proof.
  induction rest as [|b rest IH]; intros j a E N; assert (P : 0 < INR n) by (apply lt_0_INR; auto).
  - unfold over_pairs; simpl. field; lra.
  - change (over_gaps (fun a b => c b - c a) j n (a :: b :: rest))
      with ((c b - c a) * (2 * (INR j / INR n) * (1 - INR j / INR n))
        + over_gaps (fun a b => c b - c a) (S j) n (b :: rest)).
    rewrite (IH (S j) b) by (simpl in *; lia). rewrite over_pairs_cons, sum_cons, S_INR.
    rewrite (sum_eq (fun b0 => c b0 - c a) (fun b0 => (c b0 - c b) + (c b - c a))) by (intros; ring).
    rewrite sum_plus, sum_const.
    assert (L : INR n = INR j + INR (length rest) + 1) by (rewrite E, plus_INR; simpl length; rewrite S_INR; ring).
    replace (INR (length rest)) with (INR n - INR j - 1) by lra. field; lra.
Qed.

Lemma pairs_in_order x p : Sorted Rle x -> In p (pairs x) -> fst p <= snd p.
Proof.
  intros S; apply (Sorted_StronglySorted Rle_trans) in S. induction S as [|a l _ IH F]; [easy|].
  simpl; intros H; apply in_app_or in H as [H|H]; auto.
  apply in_map_iff in H as [b [<- Hb]]. rewrite Forall_forall in F; simpl; auto.
Qed.

(* B6.c: PL0(f) = sum_j TV_[x_j, x_{j+1}](f) 2 F (1 - F), F = j/n between x_j and x_{j+1}, for any f; points may
   coincide. *)
Theorem path_length_over_gaps f x V : x <> [] -> Sorted Rle x -> gives_variations_on V f x ->
  mean_over_pairs V x = over_gaps V 1 (length x) x.
Proof.
  intros N S HV. destruct x as [|x1 rest]; [contradiction|]. set (x := x1 :: rest) in *.
  assert (first : forall a, In a x -> x1 <= a).
  { intros a [<-|Ha]; [lra|]. assert (SS := Sorted_StronglySorted Rle_trans S).
    apply StronglySorted_inv in SS as [_ F]. rewrite Forall_forall in F; auto. }
  assert (sym : forall a b, In a x -> In b x -> V a b = V b a).
  { intros a b Ha Hb. apply (variation_unique_on f (Rmin a b) (Rmax a b)); [apply HV; auto|].
    rewrite Rmin_comm, Rmax_comm; apply HV; auto. }
  assert (here : forall a, In a x -> V a a = 0).
  { intros a Ha. apply (variation_unique_on f a a); [|apply variation_at_a_point].
    specialize (HV a a Ha Ha). rewrite Rmin_left, Rmax_left in HV by lra. exact HV. }
  set (c := fun a => V x1 a).
  assert (additive : forall a b, In a x -> In b x -> a <= b -> V a b = c b - c a).
  { intros a b Ha Hb L. assert (La := first a Ha). unfold c. assert (H1 : In x1 x) by now left.
    assert (A := HV x1 a H1 Ha). assert (B := HV a b Ha Hb). assert (C := HV x1 b H1 Hb).
    rewrite Rmin_left, Rmax_right in A, B, C by lra.
    assert (D := variation_adds_up f x1 a b _ _ (conj La L) A B).
    assert (V x1 b = V x1 a + V a b) by (apply (variation_unique_on f x1 b); auto). lra. }
  assert (P : 0 < INR (length x)) by (apply length_pos; easy).
  transitivity (2 / INR (length x) ^ 2 * over_pairs (fun a b => c b - c a) x).
  - transitivity (mean_over_pairs (fun a b => Rabs (c b - c a)) x).
    + apply mean_over_pairs_eq; intros a b Ha Hb. assert (Vpos : forall p q, In p x -> In q x -> p <= q -> 0 <= V p q).
      { intros p q Hp Hq L. assert (W := HV p q Hp Hq). rewrite Rmin_left, Rmax_right in W by lra.
        eapply Rle_trans; [apply Rabs_pos|apply (variation_on_at_least f p q _ L W)]. }
      destruct (Rle_dec a b) as [L|L].
      * rewrite (additive a b Ha Hb L). rewrite Rabs_right; auto. rewrite <- additive by auto. apply Rle_ge; auto.
      * rewrite sym, (additive b a Hb Ha), Rabs_minus_sym by (auto; lra). rewrite Rabs_right; auto.
        rewrite <- additive by (auto; lra). apply Rle_ge; apply Vpos; auto; lra.
    + unfold mean_over_pairs, mean. unfold Rdiv at 1 2.
      rewrite sum_scal_r, ordered_pairs by apply (fun a b => Rabs_minus_sym _ _).
      rewrite sum_zero by (intros; unfold Rminus; rewrite Rplus_opp_r; apply Rabs_R0).
      rewrite (over_pairs_eq _ (fun a b => c b - c a)); [field; lra|].
      intros p Hp. destruct (in_pairs x p Hp) as [Ha Hb]. assert (L := pairs_in_order x p S Hp).
      rewrite <- additive by auto. rewrite Rabs_right; auto.
      assert (W := HV _ _ Ha Hb). rewrite Rmin_left, Rmax_right in W by lra. apply Rle_ge.
      eapply Rle_trans; [apply Rabs_pos|apply (variation_on_at_least f _ _ _ L W)].
  - transitivity (over_gaps (fun a b => c b - c a) 1 (length x) x).
    + unfold x at 4. rewrite (pairs_over_gaps c (length x) rest 1 x1) by (auto; simpl; lia).
      unfold x at 2. rewrite over_pairs_cons. simpl INR. rewrite Rmult_1_l. reflexivity.
    + assert (G : forall l j n, Sorted Rle l -> (forall a, In a l -> In a x) ->
        over_gaps (fun a b => c b - c a) j n l = over_gaps V j n l).
      { induction l as [|a [|b l] IH]; intros j n Sl I; try reflexivity.
        apply Sorted_inv in Sl as [Sl H]; apply HdRel_inv in H.
        change ((c b - c a) * (2 * (INR j / INR n) * (1 - INR j / INR n))
            + over_gaps (fun a b => c b - c a) (Datatypes.S j) n (b :: l)
          = V a b * (2 * (INR j / INR n) * (1 - INR j / INR n)) + over_gaps V (Datatypes.S j) n (b :: l)).
        rewrite IH, (additive a b) by (auto; intros; apply I; simpl in *; tauto). reflexivity. }
      apply G; auto.
Qed.

(** * The least PL0 of all functions through the data *)

Definition interpolates (f : R -> R) (data : list (R * R)) : Prop := forall p, In p data -> f (fst p) = snd p.

(* sum_j |y_{j+1} - y_j| 2 (j/n) (1 - j/n) *)
Definition spline_path_length (data : list (R * R)) : R :=
  over_gaps (fun p q => Rabs (snd q - snd p)) 1 (length data) data.

Lemma gaps_at_least (V : R -> R -> R) f n : (0 < n)%nat -> forall data j, (j + length data <= n + 1)%nat ->
  Sorted (fun p q => fst p < fst q) data -> gives_variations_on V f (map fst data) -> interpolates f data ->
  over_gaps (fun p q => Rabs (snd q - snd p)) j n data <= over_gaps V j n (map fst data).
Proof.
  intros N. assert (P : 0 < INR n) by (apply lt_0_INR; auto).
  induction data as [|p [|q data] IH]; intros j J S HV I; try (simpl; lra).
  assert (S' := S). apply Sorted_inv in S' as [S1 L]; apply HdRel_inv in L.
  change (over_gaps (fun p q => Rabs (snd q - snd p)) j n (p :: q :: data)) with
    (Rabs (snd q - snd p) * (2 * (INR j / INR n) * (1 - INR j / INR n))
      + over_gaps (fun p q => Rabs (snd q - snd p)) (Datatypes.S j) n (q :: data)).
  change (over_gaps V j n (map fst (p :: q :: data))) with
    (V (fst p) (fst q) * (2 * (INR j / INR n) * (1 - INR j / INR n))
      + over_gaps V (Datatypes.S j) n (map fst (q :: data))).
  assert (H : over_gaps (fun p q => Rabs (snd q - snd p)) (Datatypes.S j) n (q :: data)
    <= over_gaps V (Datatypes.S j) n (map fst (q :: data))).
  { apply IH; auto.
    - simpl in *; lia.
    - intros a b Ha Hb; apply HV; simpl in *; auto.
    - intros r Hr; apply I; now right. }
  assert (W : is_variation_on f (Rmin (fst p) (fst q)) (Rmax (fst p) (fst q)) (V (fst p) (fst q)))
    by (apply HV; simpl; auto).
  rewrite Rmin_left, Rmax_right in W by lra.
  assert (D := variation_on_at_least f _ _ _ (Rlt_le _ _ L) W).
  rewrite (I p), (I q) in D by (simpl; auto).
  assert (J1 : 0 <= INR j / INR n) by (apply Rmult_le_pos; [apply pos_INR|apply Rlt_le, Rinv_0_lt_compat; auto]).
  assert (J2 : INR j / INR n <= 1).
  { apply Rmult_le_reg_r with (INR n); auto. unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r, Rmult_1_l by lra.
    apply le_INR. simpl in J; lia. }
  apply Rplus_le_compat; auto. apply Rmult_le_compat_r; auto. apply Rmult_le_pos; lra.
Qed.

(* V14.c, the inequality: PL0(f) >= sum_j |y_{j+1} - y_j| 2 (j/n) (1 - j/n) for any f through x_1 < .. < x_n. *)
Theorem path_length_at_least_spline f data V : data <> [] -> Sorted (fun p q => fst p < fst q) data ->
  gives_variations_on V f (map fst data) -> interpolates f data ->
  spline_path_length data <= mean_over_pairs V (map fst data).
Proof.
  intros N S HV I. rewrite (path_length_over_gaps f).
  - rewrite map_length. apply (gaps_at_least V f); auto; [destruct data; [contradiction|simpl; lia]|lia].
  - destruct data; easy.
  - clear - S. induction S as [|p l S IH H]; simpl; constructor; auto.
    destruct H; simpl; constructor. lra.
  - exact HV.
Qed.
